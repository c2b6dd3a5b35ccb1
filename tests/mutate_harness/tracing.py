"""Which test reaches which function: a pytest plugin that follows tests and their children.

Loaded with `-p tests.mutate_harness.tracing`; does nothing without HARNESS_TRACE=FILE.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .follower import FILE, ROOT, TEST, Follower, follow

_followers: list[Follower] = []


def pytest_configure(config: pytest.Config) -> None:
    """Begin to follow, and have children followed too."""
    if not os.environ.get(FILE):
        return
    site = str(Path(__file__).parent / "site")
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if site not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([site, ROOT, *paths])
    _followers.append(follow())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What happens meanwhile is this test's doing."""
    os.environ[TEST] = item.nodeid
    for follower in _followers:
        follower.begin()
    return (yield)


def pytest_runtest_logreport(report: Any) -> None:
    """Note how long the test took and how it ended; xdist's controller hears it again."""
    if report.when == "call" and not hasattr(report, "node"):
        for follower in _followers:
            follower.note("=", f"{report.duration:.3f}", report.outcome)
