"""Sequences that a plan draws from: found by running it beside a run whose numbers have gaps.

A transaction that is struck has drawn numbers that nobody gets again. So a run that is resumed may
stand further on than an undisturbed one, and its rows may have other numbers. Which sequences and
columns that can be shows a run in which numbers were drawn between every two steps.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from harness.database import admin
from harness.database.fingerprint.catalog import read_sequences
from harness.database.fingerprint.session import pin
from harness.database.fingerprint.taking import EXCLUDED
from harness.runner import Event

GAP = 3  # numbers drawn between two steps
DRAW = (
    "select pg_catalog.nextval(name) from pg_catalog.unnest(%s::text[]) as name,"
    " pg_catalog.generate_series(1, %s)"
)

Position = dict[str, int]


@dataclass
class SequenceWatch:
    """Listens to a run: notes where the sequences stand before and after every step.

    With `gaps` it draws numbers before each step: whoever draws then is given others.
    """

    dsn: str
    gaps: bool = False
    moves: list[tuple[Position, Position]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._conn = admin.connect(self.dsn, client_encoding="utf8")
        pin(self._conn, EXCLUDED)
        self._conn.execute("set lock_timeout = '1s'")
        self._before = self._with_gaps(_positions(self._conn))

    def hear(self, event: Event) -> None:
        """Take in an event of the runner, which waits meanwhile."""
        if event.kind == "step_done":
            found = _positions(self._conn)
            self.moves.append((self._before, found))
            self._before = self._with_gaps(found)

    def close(self) -> None:
        """Disconnect."""
        self._conn.close()

    def _with_gaps(self, found: Position) -> Position:
        """Where the sequences stand when numbers were drawn, if any are to be."""
        if not self.gaps or not found:
            return found
        try:
            self._conn.execute(DRAW, [list(found), GAP])
        except psycopg.Error:  # one is exhausted, or locked: the others all the same
            for name in found:
                with suppress(psycopg.Error):
                    self._conn.execute(DRAW, [[name], GAP])
        return _positions(self._conn)


def drawn(plain: SequenceWatch, with_gaps: SequenceWatch) -> frozenset[str]:
    """The sequences that a step moved from where they stood, not to a place of its own choice."""
    found = set()
    for (before, after), (_, elsewhere) in zip(plain.moves, with_gaps.moves, strict=False):
        found |= {
            name
            for name in before.keys() & after.keys() & elsewhere.keys()
            if after[name] != before[name] and elsewhere[name] != after[name]
        }
    return frozenset(found)


def _positions(conn: psycopg.Connection[Any]) -> Position:
    """Sequence -> the next number that it gives."""
    return {
        name: value["last_value"] + (value["increment"] if value["is_called"] else 0)
        for name, value in read_sequences(conn).items()
    }
