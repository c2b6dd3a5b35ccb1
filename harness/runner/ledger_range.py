"""The ranges of a batch step that several workers share: each has a checkpoint of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from psycopg import sql

from harness.runner.ledger_format import damaged

READ_RANGES: Final = """;
SELECT run_id, step, number, after_key, upto_key, last_key, rows, batches, state, seal AS kept_seal
FROM migration_control.batch_range ORDER BY run_id, step, number
"""
CUT: Final = "ranges "


@dataclass(frozen=True)
class RangeRow:
    """A row of migration_control.batch_range: the keys behind `after_key`, up to `upto_key`.

    Those up to `last_key` are done.
    """

    run_id: int
    step: str
    number: int
    after_key: int
    upto_key: int
    last_key: int
    rows: int = 0
    batches: int = 0
    state: str = "running"

    @property
    def name(self) -> str:
        """What it is called in a message."""
        return f"range {self.number} of {self.step}"

    def seal(self) -> str:
        """A short hash of the row: a changed row is noticed before anything is built on it."""
        values = (self.run_id, self.step, self.number, self.after_key, self.upto_key)
        values += (self.last_key, self.rows, self.batches, self.state)  # type: ignore[assignment]
        return hashlib.sha256("|".join(map(str, values)).encode()).hexdigest()[:16]

    def moved(self, state: str, last_key: int, rows: int, batches: int) -> RangeRow:
        """The same with more of it done."""
        return replace(self, state=state, last_key=last_key, rows=rows, batches=batches)


def cut_into(ranges: Sequence[RangeRow]) -> str:
    """What the checkpoint of a step says of its ranges, so that a lost one is missed."""
    return f"{CUT}{len(ranges)}"


def sealed(rows: Iterable[Mapping[str, Any]]) -> Iterator[RangeRow]:
    """The ranges of a ledger; Refused where one was changed."""
    for columns in rows:
        values = dict(columns)
        kept = values.pop("kept_seal")
        row = RangeRow(**values)
        if row.seal() != kept:
            raise damaged(f"checkpoint of {row.name} in run {row.run_id} was changed")
        yield row


def misses(told: str | None, ranges: Sequence[RangeRow]) -> str:
    """What is wrong with the ranges of a step, whose checkpoint tells how many there are."""
    count = int(told.removeprefix(CUT)) if told and told.startswith(CUT) else 0
    if len(ranges) != count:
        return f"has {len(ranges)} ranges, not {count}"
    if any(one.upto_key != other.after_key for one, other in pairwise(ranges)):
        return "has ranges with a gap between them"
    return ""


def ranges_sql(rows: Sequence[RangeRow]) -> sql.Composed:
    """Record the ranges into which a step is cut."""
    values = sql.SQL(", ").join(
        sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, (*_values(one), one.seal()))))
        for one in rows
    )
    return sql.SQL(
        "INSERT INTO migration_control.batch_range (run_id, step, number, after_key, upto_key,"
        " last_key, rows, batches, state, seal) VALUES {};"
    ).format(values)


def _values(row: RangeRow) -> tuple[object, ...]:
    bounds = (row.run_id, row.step, row.number, row.after_key, row.upto_key)
    return (*bounds, row.last_key, row.rows, row.batches, row.state)


def range_sql(row: RangeRow) -> sql.Composed:
    """Write the checkpoint of a range; the fence has locked its row."""
    return sql.SQL(
        "UPDATE migration_control.batch_range SET last_key = {}, rows = {}, batches = {},"
        " state = {}, seal = {}, updated_at = pg_catalog.clock_timestamp()"
        " WHERE run_id = {} AND step = {} AND number = {};"
    ).format(
        *map(sql.Literal, (row.last_key, row.rows, row.batches, row.state, row.seal())),
        *map(sql.Literal, (row.run_id, row.step, row.number)),
    )


def forget_sql(run_id: int, step: str) -> sql.Composed:
    """Forget the ranges of a step: all of them are done."""
    return sql.SQL(
        "DELETE FROM migration_control.batch_range WHERE run_id = {} AND step = {};"
    ).format(sql.Literal(run_id), sql.Literal(step))


def fence(row: RangeRow) -> tuple[sql.Composed, sql.Composed]:
    """What the fence of a range joins and locks beside the run, which workers share.

    No row is found where another session moved the range since we read it.
    """
    join = sql.SQL(
        " JOIN migration_control.batch_range AS b ON b.run_id = r.id AND b.step = {}"
        " AND b.number = {} AND b.seal = {}"
    ).format(*map(sql.Literal, (row.step, row.number, row.seal())))
    return join, sql.SQL(" FOR SHARE OF r FOR NO KEY UPDATE OF b;").format()
