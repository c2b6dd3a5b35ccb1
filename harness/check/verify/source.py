"""The source of a verification: a database as it was, or a backup that is restored to be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.errors import Refused, UsageError
from harness.database import admin
from harness.safety import backup, identity, manifest, proof, spelling

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


def refuse_other(dsn: str, directory: Path, *, begun: bool) -> None:
    """Raise Refused unless the backup was proven, and is of this database as it is now.

    Of one on which a run has `begun` only the name can be asked.
    """
    told = manifest.read(directory)
    where = str(directory)
    if not told.verified:
        raise Refused(
            f"this backup was never proven: {told.why}", where=where, hint="take another one"
        )
    manifest.check_files(told, directory)
    name = admin.dbname(dsn)
    if told.database != name:
        raise Refused(
            f"the backup is of database {told.database!r}, not {name!r}",
            where=where,
            hint="name a backup of this database",
        )
    if begun:
        return
    before = identity.load(directory, [file.name for file in told.files])
    for one in identity.differences(before, identity.take(dsn), ahead=True):
        respelled = None not in (one.before, one.after) and spelling.same(
            str(one.before), str(one.after)
        )
        if not (respelled and one.kind in ("catalog", "security")):
            raise Refused(
                f"the database changed since the backup was taken: {one}",
                where=where,
                hint="take another one when nobody writes: harness backup --to DIR",
            )
