"""What a killed tool leaves is found and removed by the next one, whenever it was killed.

A sample in the ordinary run; HARNESS_POINTS=50 for every tool at 50 points.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.database import admin, fingerprint
from harness.safety import manifest
from harness.safety.backup import backup, restore
from tests.harness.support.killed import (
    TOOLS,
    databases,
    files,
    processes,
    records,
    seconds_of,
    started,
)
from tests.harness.support.runner import ask, prepared

if TYPE_CHECKING:
    from harness.server import Server

POINTS = int(os.environ.get("HARNESS_POINTS", "3"))
SEED = 20


@pytest.fixture
def ground(harness_empty_database: str, target: str, tmp_path: Path) -> Path:
    """A plan, a database with rows for it, a backup of that, and an empty one to restore into."""
    prepared(tmp_path / "plan", harness_empty_database)
    assert backup(harness_empty_database, tmp_path / "taken").verdict == "pass"
    (tmp_path / "target").write_text(admin.dbname(target))
    return tmp_path


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary directory of the tools' own, which a server's account can enter too."""
    made = Path(tempfile.mkdtemp(prefix="killed-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_next_tool_removes_what_a_killed_one_left(
    tool: str,
    ground: Path,
    temporary: Path,
    harness_empty_database: str,
    target: str,
    harness_server: Server,
) -> None:
    length = seconds_of(tool, harness_empty_database, ground, temporary)
    moments = random.Random(SEED)  # noqa: S311 - moments, not secrets
    for number in range(POINTS):
        _emptied(harness_server, target, ground)
        mark = uuid.uuid4().hex
        moment = moments.uniform(number, number + 1) / POINTS * length
        with started(tool, harness_empty_database, ground, mark, temporary) as child:
            child.join(moment)
            child.kill()
            child.join()
            pid = child.pid or 0
        _without_whole_backup(ground / "new")
        assert backup(harness_empty_database, ground / "new").verdict == "pass"
        left = [
            *databases(harness_server.dsn(), pid),
            *processes(mark),
            *records(pid),
            *files(temporary),
        ]
        assert left == [], f"killed after {moment:.3f} s of {length:.3f} s"
        if tool == "restore":
            _whole_or_nothing(harness_empty_database, target, ground)


def _emptied(server: Server, target: str, ground: Path) -> None:
    """As before the tool: no backup in the directory, nothing in the database to restore into."""
    _without_whole_backup(ground / "new")
    admin.drop(server.dsn(), admin.dbname(target))
    admin.create(server.dsn(), admin.dbname(target))


def _without_whole_backup(directory: Path) -> None:
    """One that was whole when it was killed is a backup, and never overwritten."""
    if (directory / manifest.NAME).exists():
        assert manifest.read(directory).verified
        shutil.rmtree(directory)


def _whole_or_nothing(source: str, target: str, ground: Path) -> None:
    """A restore that was killed is done, or was none and can be had again."""
    if ask(target, "SELECT to_regclass('public.things')") is None:
        assert restore(target, ground / "taken").verdict == "pass"
    else:
        assert not fingerprint.compare(fingerprint.take(source), fingerprint.take(target))
    assert ask(target, "SELECT count(*) FROM public.things") == 1000
