"""What a copy's catalogs and statistics say from outside, while a foreign run is at work on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from harness.core.poll import wait_until
from harness.database import admin
from harness.scenario.dry_run import look, wal

_SQL: Final = Path(__file__).with_suffix(".sql").read_text("utf-8").split("-- ===\n")
_RELATIONS, _HELD, _OTHERS, _COUNTERS, _TRACKS = _SQL
Held = tuple[int, str]
PATIENCE: Final = 30.0  # seconds for the sessions of a run that has ended to go away


@dataclass(frozen=True)
class RelationSeen:
    """A relation at a moment: its file, its size, and what statistics have counted so far."""

    oid: int
    name: str
    node: int | None
    bytes: int
    read: int
    changed: int


class CopyCatalog:
    """A connection that looks. `seconds` is what looking took, and the run had to wait for."""

    def __init__(self, dsn: str, bookkeeping: Sequence[str]) -> None:
        self._conn = admin.connect(dsn, application_name="dry run watch")
        look.own(self._conn)
        self._bookkeeping = list(bookkeeping)

    def close(self) -> None:
        """End the session."""
        self._conn.close()

    def relations(self) -> dict[int, RelationSeen]:
        """Every relation of users, the tool's own accounts aside, by its oid."""
        rows = self._all(_RELATIONS, {"without": self._bookkeeping})
        return {int(row[0]): RelationSeen(*row) for row in rows}

    def held(self, backend: int) -> set[Held]:
        """The relations that a backend holds locks on, with their modes."""
        return {(int(oid), str(mode)) for oid, mode in self._all(_HELD, {"pid": backend})}

    def counters(self) -> tuple[int, int]:
        """How far the log is, and bytes of temporary files so far."""
        ((log, temporary),) = self._all(_COUNTERS, {})
        return int(log), int(temporary or 0)

    def log_written(self, begin: int, end: int) -> int:
        """Bytes of the log between two places: this database's own where they can be told."""
        own = wal.own(self._conn, begin, end)
        return max(0, end - begin) if own is None else own

    def counts(self) -> bool:
        """Whether the server counts rows that are read."""
        ((tracks,),) = self._all(_TRACKS, {})
        return bool(tracks)

    def wait_alone(self) -> None:
        """Wait until only sessions of ours are left: then all that others did is counted."""
        wait_until(
            lambda: not self._all(_OTHERS, {}),
            PATIENCE,
            "the end of the run's sessions",
            pause=0.01,
        )

    def _all(self, query: str, values: dict[str, Any]) -> list[Any]:
        return self._conn.execute(query.encode(), values).fetchall()


def instrument(conn: psycopg.Connection[Any]) -> None:
    """Put what reads the log into the copy, if that may be."""
    look.install(conn)
