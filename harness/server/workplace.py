"""A directory for what workers of a pool put aside: gone with the pool, or with the next one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.server import process

PREFIX = "harness-work"


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory of this process, removed at the end; those of dead processes are removed too."""
    _sweep(Path(tempfile.gettempdir()))
    owner = f"{os.getpid()}-{process.started(os.getpid()) or 0:.0f}"
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}-{owner}-"))
    made.chmod(0o711)  # a server's account must come to what is its own in there
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def work_in(directory: str) -> None:
    """Put everything temporary of this process, and of what it starts, in a directory."""
    tempfile.tempdir = directory
    os.environ["TMPDIR"] = directory


def _sweep(root: Path) -> None:
    for path in root.glob(f"{PREFIX}-*-*-*"):
        pid, started = path.name.removeprefix(f"{PREFIX}-").split("-")[:2]
        if path.is_dir() and path.lstat().st_uid == os.geteuid() and pid.isdigit():
            now = process.started(int(pid))
            if now is None or f"{now:.0f}" != started:
                shutil.rmtree(path, ignore_errors=True)
