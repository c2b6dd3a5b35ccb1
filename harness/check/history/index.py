"""The writes of a history: by their value, and by the row that they went to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf
from typing import TypeAlias

from harness.traffic.history import Census, Operation

Place: TypeAlias = tuple[str, str]
"""A table and the key of a row in it."""


def row_of(operation: Operation) -> str:
    """The key of the row that a write went to; empty for an insert whose key is not known."""
    if operation.key:
        return operation.key
    return operation.rows[0][0] if operation.rows else ""


def took_effect(operation: Operation) -> bool:
    """Whether a write was acknowledged and says that it changed a row."""
    return operation.outcome == "acknowledged" and bool(operation.rows)


def end_of(operation: Operation) -> float:
    """When a write was over; one that is unknown may still happen at any time."""
    if operation.outcome != "acknowledged" or operation.answered is None:
        return inf
    return operation.answered


@dataclass
class RowWrites:
    """The acknowledged writes to one row, in the order of their answers."""

    writes: list[Operation] = field(default_factory=list)
    unknown: list[Operation] = field(default_factory=list)
    initial: str | None = None
    existed: bool = False
    _answered: list[float] = field(default_factory=list)
    _newest: list[tuple[float, int]] = field(default_factory=list)

    def settle(self) -> None:
        """Make ready to be asked; call it when all writes are in."""
        self.writes.sort(key=end_of)
        self._answered = [end_of(write) for write in self.writes]
        sent = [(write.sent, place) for place, write in enumerate(self.writes)]
        self._newest = list(accumulate(sent, max))

    def newest_before(self, moment: float) -> Operation | None:
        """Of the writes that were answered before a moment, the one that was sent last."""
        place = bisect_left(self._answered, moment)
        return self.writes[self._newest[place - 1][1]] if place else None

    def may_lack(self, sent: float, answered: float) -> bool:
        """Whether the row may have been absent at some time between `sent` and `answered`."""
        newest = self.newest_before(sent)
        if newest is None and not self.existed:
            return True
        since = -inf if newest is None else newest.sent
        if newest is not None and newest.kind == "delete":
            return True
        return any(
            write.kind == "delete" and write.sent < answered and end_of(write) > since
            for write in (*self.writes, *self.unknown)
        )


@dataclass
class WriteIndex:
    """All writes of a history, and what was there before them."""

    values: dict[str, Operation] = field(default_factory=dict)
    rows: dict[Place, RowWrites] = field(default_factory=dict)
    reused: list[Operation] = field(default_factory=list)

    def at(self, place: Place) -> RowWrites:
        """The writes to a row."""
        found = self.rows.get(place)
        if found is None:
            found = self.rows[place] = RowWrites()
        return found


def index_writes(operations: Iterable[Operation], before: Sequence[Census]) -> WriteIndex:
    """Every write by value and row; `before` has what was there first."""
    index = WriteIndex()
    for census in before:
        for key, value in census.rows:
            row = index.at((census.table, key))
            row.existed, row.initial = True, value
    for operation in operations:
        if operation.kind != "read":
            _take(index, operation)
    for row in index.rows.values():
        row.settle()
    return index


def _take(index: WriteIndex, operation: Operation) -> None:
    if operation.value is not None:
        if operation.value in index.values:
            index.reused.append(operation)
        index.values[operation.value] = operation
    key = row_of(operation)
    if not key or operation.outcome == "refused":
        return
    row = index.at((operation.table, key))
    if took_effect(operation):
        row.writes.append(operation)
    elif operation.outcome == "unknown":
        row.unknown.append(operation)
