"""Columns that count: a sequence's, and unique ones whose values follow from the row's number."""

from __future__ import annotations

from collections.abc import Callable

from harness.database.catalog import Connection
from harness.rows.copytext import escape_field
from harness.rows.model import Column, Table, quote
from harness.rows.sample.field import ValueField
from harness.rows.sample.numbers import INTEGERS
from harness.rows.stream import Stream
from harness.rows.unit import Counted, Serial, Unit


def sequence_stream(column: Column) -> Stream:
    """The values that the column's own sequence would give, from its start."""
    taken = column.sequence
    assert taken is not None
    first, step = taken.start, taken.increment
    end = taken.maximum if step > 0 else taken.minimum
    return Stream(lambda row: str(first + row * step), abs(end - first) // abs(step) + 1,
                  (first, step))  # fmt: skip


def counted_unit(conn: Connection, table: Table, name: str, stream: Stream, present: int) -> Unit:
    """The unit of a column that counts; it goes on behind the `present` rows that are there."""
    if stream.whole is None:
        return Counted((name,), _escaped(stream), present)
    first, step = stream.whole
    if present:
        edge = "max" if step > 0 else "min"
        row = conn.execute(
            f"SELECT {edge}({quote(name)})::text FROM {table.quoted}".encode()
        ).fetchone()
        if row and row[0] is not None and (int(row[0]) - first) * step >= 0:
            first = int(row[0]) + step
    return Serial((name,), first, step)


def room_left(stream: Stream, unit: Unit, present: int) -> int:
    """How many values are left, those of the rows that are there aside."""
    if isinstance(unit, Serial) and stream.whole is not None:
        first, step = stream.whole
        return stream.capacity - (unit.first - first) // step
    return stream.capacity - present


def is_whole(place: ValueField) -> bool:
    """Whether the values are whole numbers."""
    kind = place.type
    while kind.kind == "d":
        kind = place.types[kind.base]
    return kind.name in INTEGERS


def _escaped(stream: Stream) -> Callable[[int], str]:
    """The stream's values as COPY takes them."""
    at = stream.at
    if all(escape_field(at(row)) == at(row) for row in range(min(256, stream.capacity))):
        return at
    return lambda row: escape_field(at(row))
