"""A file that cannot be written is named before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from harness.core.errors import UsageError


def refuse_unwritable(path: Path, hint: str = "name another file") -> None:
    """Raise UsageError when this file cannot be written; a directory that is missing is made.

    What stands there already is left as it is.
    """
    try:
        if path.parent.exists() and not path.parent.is_dir():
            raise NotADirectoryError(0, "Not a directory")  # mkdir says: File exists
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(0, "it is a directory")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(0, "permission denied")
        probe = path.with_name(f".{path.name[:60]}.probe-{os.getpid()}")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path), hint=hint) from error
