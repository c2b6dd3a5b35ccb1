"""A test that is marked `alone` has the machine to itself: the other workers of its session wait.

Every test of such a session shares a room, and one that is alone has it for itself. The door keeps
new ones out while it waits for those who are in. The kernel opens both for a worker that dies.
"""

from __future__ import annotations

import fcntl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from harness.pytest_plugin.shared import is_worker, shared_directory

MARKER: Final = "alone"
_wanted = pytest.StashKey[bool]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put them first, where every other worker is about to begin as well."""
    first = [item for item in items if _is_alone(item)]
    config.stash[_wanted] = is_worker(config) and bool(first)
    if config.stash[_wanted]:
        items[:] = [*first, *(item for item in items if not _is_alone(item))]


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, None]:
    """Let a test in; one that is alone only when nobody else is."""
    if not item.config.stash.get(_wanted, False):
        yield
        return
    with _room(shared_directory(item.config), alone=_is_alone(item)):
        yield


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker(MARKER) is not None


@contextmanager
def _room(directory: Path, *, alone: bool) -> Iterator[None]:
    with (directory / "door").open("a") as door, (directory / "room").open("a") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        if not alone:
            fcntl.flock(door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            # said aloud: a process that the test forked, and that still lives, has them open too
            fcntl.flock(room, fcntl.LOCK_UN)
            fcntl.flock(door, fcntl.LOCK_UN)
