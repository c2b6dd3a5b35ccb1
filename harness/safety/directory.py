"""The directory of a backup: new or empty, or what a killed backup left of it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.core.jsonfile import PARTIAL
from harness.core.poll import wait_until
from harness.safety import identity, manifest

DUMP: Final = "dump"
"""The directory of pg_dump's own files."""
UNFINISHED: Final = "unfinished"
"""A file that is there, and locked, while a backup is written; whoever finds it unlocked finds what
a killed one left."""
_FILES: Final = (identity.DATABASE, identity.CONTROL, manifest.NAME)


@contextmanager
def new_or_empty(directory: Path) -> Iterator[None]:
    """A directory of our own to write to; what was written goes again when the block fails.

    What a backup that was killed wrote there is removed first; anything else is a usage error.
    """
    try:
        made = not directory.exists()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold every row
        _clear_unfinished(directory)
        found = sorted(path.name for path in directory.iterdir())
        if found:
            raise _occupied(directory, found[0])
        lock = _locked(directory)
    except OSError as error:
        message = f"no backup can be written here: {error.strerror}"
        raise UsageError(message, where=str(directory)) from None
    try:
        yield
    except BaseException:
        _clear(directory)
        if made:
            directory.rmdir()
        raise
    finally:
        os.close(lock)
        (directory / UNFINISHED).unlink(missing_ok=True)


def _locked(directory: Path) -> int:
    descriptor = os.open(directory / UNFINISHED, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _clear_unfinished(directory: Path) -> None:
    """Remove what a killed backup left; one that was whole is a backup, and one that lives too."""
    mark = directory / UNFINISHED
    if not mark.exists() or (directory / manifest.NAME).exists():
        return
    descriptor = os.open(mark, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _clear(directory)
    except BlockingIOError:
        raise UsageError(
            "another backup is being written here", where=str(directory), hint="name another one"
        ) from None
    finally:
        os.close(descriptor)


def _clear(directory: Path) -> None:
    def gone() -> bool:
        shutil.rmtree(directory / DUMP, ignore_errors=True)
        return not (directory / DUMP).exists()

    wait_until(gone, 10, f"the end of what writes to {directory / DUMP}", pause=0.05)
    for name in _FILES:
        (directory / name).unlink(missing_ok=True)
        for partial in directory.glob(f"{name}.*{PARTIAL}"):
            partial.unlink(missing_ok=True)
    (directory / UNFINISHED).unlink(missing_ok=True)


def _occupied(directory: Path, name: str) -> UsageError:
    return UsageError(
        f"the directory is not empty: it holds {name}",
        where=str(directory),
        hint="name a new or an empty one; a backup never overwrites",
    )
