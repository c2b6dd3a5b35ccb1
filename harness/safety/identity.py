"""What a database is, all of it: its fingerprint, and one of the harness's own schemas besides.

The fingerprint leaves out the ledger and the archive, which are no part of what a migration makes;
a backup has to bring them back too, or the database no longer knows where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.database import fingerprint
from harness.database.fingerprint import Difference, Fingerprint
from harness.database.fingerprint.layout import read_layout
from harness.database.fingerprint.model import FORMAT
from harness.database.fingerprint.session import Connection, explained, pin, share, snapshot

# of a snapshot that is held open, which `take` has no word for
from harness.database.fingerprint.taking import EXCLUDED, hold, read

WORKERS: Final = 2
DATABASE: Final = "fingerprint.json"
"""The file of the fingerprint, as `harness fingerprint --save` writes it."""
CONTROL: Final = "control.json"
"""The file of the harness's own schemas, where there are any."""
_SCHEMAS: Final = """
SELECT coalesce(array_agg(nspname::text ORDER BY nspname)
    FILTER (WHERE nspname <> ALL (%(ours)s)), '{}'),
  coalesce(bool_or(nspname = ANY (%(ours)s)), false)
FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""


@dataclass(frozen=True)
class Identity:
    """A database at one moment. `control` is None where the harness has no schema in it."""

    database: Fingerprint
    control: Fingerprint | None

    @property
    def is_older(self) -> bool:
        """Whether an older version saved it, which compared less."""
        return self.database.format < FORMAT

    @property
    def digests(self) -> dict[str, str]:
        """The four digests of the fingerprint, by name."""
        names = ("catalog", "security", "data", "sequences")
        return {name: getattr(self.database, name) for name in names}

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each relation holds."""
        parts = [self.database, *([self.control] if self.control else [])]
        return {name: found["rows"] for part in parts for name, found in part.relations.items()}

    @property
    def owners(self) -> set[str]:
        """The roles that own something, the server's first superuser too."""
        parts = [self.database, *([self.control] if self.control else [])]
        objects = [text for part in parts for text in part.objects["security"].values()]
        return {
            str(owner) for owner in (json.loads(text).get("owner") for text in objects) if owner
        }


class OpenSnapshot:
    """A snapshot that stays open: tables are kept from being rewritten, and others may read it."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._connections = connections

    def identity(self) -> Identity:
        """The identity of the database as the snapshot sees it."""
        parameters = {"ours": list(EXCLUDED)}
        row: Any = self._connections[0].execute(_SCHEMAS, parameters).fetchone()
        others, has_control = row
        return Identity(self._part(EXCLUDED), self._part(tuple(others)) if has_control else None)

    def export(self) -> str:
        """The snapshot's name, for `pg_dump --snapshot`."""
        row: Any = self._connections[0].execute("select pg_export_snapshot()").fetchone()
        return str(row[0])

    def _part(self, excluded: tuple[str, ...]) -> Fingerprint:
        for conn in self._connections:
            pin(conn, excluded)
        tables = read_layout(self._connections[0])
        return read(self._connections, tables, data=True, detail=True, excluded=excluded)


@contextmanager
def held(dsn: str) -> Iterator[OpenSnapshot]:
    """Hold a snapshot of a database for the length of the block; nothing is created in it."""
    with explained("reading the database"), snapshot(dsn, WORKERS, ()) as connections:
        hold(connections[0])
        share(connections)
        yield OpenSnapshot(connections)


def take(dsn: str) -> Identity:
    """The identity of a database now."""
    with held(dsn) as moment:
        return moment.identity()


def differences(
    before: Identity, after: Identity, *, ahead: bool = False
) -> tuple[Difference, ...]:
    """Every difference; with `ahead` a sequence may have gone on, never back.

    Of an identity of an older format only rows and sequences are compared.
    """
    compare = fingerprint.compare_rows if before.is_older else fingerprint.compare
    found = list(compare(before.database, after.database, allow_sequence_gaps=ahead))
    old, new = before.control, after.control
    if old and new and old.excluded == new.excluded:  # else a schema differs, and is named already
        found += compare(old, new, allow_sequence_gaps=ahead)
    if bool(old) != bool(new):
        what = "the harness's own schemas"
        found.append(Difference("catalog", what, "presence", _there(old), _there(new)))
    return tuple(dict.fromkeys(found))  # what belongs to no schema is in both


def save(found: Identity, directory: Path) -> list[str]:
    """Write the identity below a directory; the names of its files."""
    fingerprint.save(found.database, directory / DATABASE)
    if found.control is None:
        return [DATABASE]
    fingerprint.save(found.control, directory / CONTROL)
    return [DATABASE, CONTROL]


def load(directory: Path, files: Sequence[str]) -> Identity:
    """Read what `save` wrote; `files` says whether the harness's schemas are part of it."""
    control = fingerprint.load(directory / CONTROL, older=True) if CONTROL in files else None
    return Identity(fingerprint.load(directory / DATABASE, older=True), control)


def _there(part: Fingerprint | None) -> str:
    return "present" if part else "absent"
