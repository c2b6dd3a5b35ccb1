"""The source of a verification: a database as it was, or a backup that is restored to be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import Refused, UsageError
from harness.safety import backup, manifest, proof

HINT = "give a DSN like postgresql://user@host/dbname, or a directory of harness backup"


def is_backup(text: str) -> bool:
    """Whether the text names a directory, not a database; UsageError when it names neither."""
    path = Path(text)
    if path.is_dir():
        if not (path / manifest.NAME).is_file():
            raise UsageError("the source holds no backup", where=text, hint=HINT)
        return True
    if "=" not in text and "://" not in text:
        raise UsageError("the source is neither a DSN nor a directory", where=text, hint=HINT)
    return False


@contextmanager
def restored(dsn: str, directory: Path) -> Iterator[str]:
    """DSN of the backup, restored into a scratch database beside the named one; dropped after.

    Refused when the backup was never proven, does not fit the server, or comes back otherwise.
    """
    with proof.scratch(dsn) as copy:
        found = backup.restore(copy, directory)
        if found.verdict != "pass":
            raise Refused(
                f"the backup is not what it was: {found.differences[0]}",
                where=str(directory),
                hint="take another one",
            )
        yield copy
