"""A directory for everything temporary of one gate, and the end of what killed gates left."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.core import lifetime
from harness.server import process

PREFIX = "harness-gate-"
OWNER = "owner.json"


@dataclass(frozen=True)
class Workspace:
    """`token` names this gate in the environment of every process that works for it."""

    path: Path
    token: str

    @property
    def left(self) -> Path:
        """Where the suites leave evidence and logs."""
        return self.path / "left"

    @property
    def temporary(self) -> Path:
        """The suites' own directory of temporary files."""
        return self.path / "tmp"


@contextmanager
def opened() -> Iterator[Workspace]:
    """A new workspace; at the end its processes are killed and its directory is removed."""
    sweep()
    pid = os.getpid()
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{pid}-"))
    (path / OWNER).write_text(json.dumps([pid, process.started(pid)]))
    space = Workspace(path, path.name)
    space.temporary.mkdir()
    (space.left / "evidence").mkdir(parents=True)
    try:
        yield space
    finally:
        _end(path)


def sweep() -> list[str]:
    """End the processes and remove the directories of gates that are gone; their names."""
    swept = []
    for path in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        if path.stat().st_uid == os.geteuid() and not _lives(path):
            _end(path)
            swept.append(path.name)
    return swept


def _lives(path: Path) -> bool:
    """Whether its gate does; one without an owner was killed, or begins this very moment."""
    try:
        pid, started = json.loads((path / OWNER).read_text())
    except (OSError, ValueError):
        return False
    return bool(process.started(pid) == started)


def _end(path: Path) -> None:
    lifetime.kill_group(path.name)
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # something died while it was writing
        shutil.rmtree(path)
