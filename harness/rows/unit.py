"""A unit makes the values of one or more columns, block by block, as text of COPY."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Protocol

from harness.rows.copytext import NULL
from harness.rows.draw import Draws


class Unit(Protocol):
    """Makes adjoining columns; asked for blocks in order."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names."""

    def block(self, start: int, count: int) -> Iterable[str]:
        """The fields of `count` rows from row `start` on, counted from 0."""


@dataclass(frozen=True)
class Drawn:
    """Values of a slot table, drawn at random."""

    columns: tuple[str, ...]
    table: Sequence[str]
    draws: Draws

    def block(self, start: int, count: int) -> Iterable[str]:  # noqa: ARG002 - drawn in order
        """Random values."""
        return map(self.table.__getitem__, self.draws.numbers(len(self.table), count))


@dataclass(frozen=True)
class Paired:
    """Values of two slot tables, written one after the other: many more than either has."""

    columns: tuple[str, ...]
    first: Sequence[str]
    second: Sequence[str]
    draws: Draws

    def block(self, start: int, count: int) -> Iterable[str]:  # noqa: ARG002 - drawn in order
        """Random pairs."""
        left = map(self.first.__getitem__, self.draws.numbers(len(self.first), count))
        right = map(self.second.__getitem__, self.draws.numbers(len(self.second), count))
        return map(str.__add__, left, right)


@dataclass(frozen=True)
class Dealt:
    """Every value once, in order; then, if there is such a thing, the same for ever."""

    columns: tuple[str, ...]
    values: Sequence[str]
    beyond: str | None = None

    def block(self, start: int, count: int) -> Iterable[str]:
        """The next values; fewer when they run out."""
        dealt = self.values[start : start + count]
        if self.beyond is None:
            return dealt
        return chain(dealt, repeat(self.beyond, count - len(dealt)))

    def at(self, row: int) -> str:
        """The value of one row."""
        return self.values[row] if row < len(self.values) else self.beyond or NULL


@dataclass(frozen=True)
class Counted:
    """A value for every number, no two alike."""

    columns: tuple[str, ...]
    at: Callable[[int], str]
    offset: int = 0

    def block(self, start: int, count: int) -> Iterable[str]:
        """The values of these rows."""
        first = start + self.offset
        return map(self.at, range(first, first + count))


@dataclass(frozen=True)
class Serial:
    """Whole numbers in steps."""

    columns: tuple[str, ...]
    first: int
    step: int

    def block(self, start: int, count: int) -> Iterable[str]:
        """The numbers of these rows."""
        begin = self.first + start * self.step
        return map(str, range(begin, begin + count * self.step, self.step))

    def at(self, row: int) -> str:
        """The number of one row."""
        return str(self.first + row * self.step)


@dataclass(frozen=True)
class Combined:
    """Every combination of values of several pools once."""

    columns: tuple[str, ...]
    pools: tuple[Sequence[str], ...]

    def block(self, start: int, count: int) -> Iterable[str]:
        """The next combinations."""
        return map(self.at, range(start, start + count))

    def at(self, row: int) -> str:
        """The combination of one row: neighbours differ in every place."""
        parts, carried = [], 0
        for pool in self.pools:
            size = len(pool)
            carried = (row + carried) % size
            parts.append(pool[carried])
            row //= size
        return "\t".join(parts)


@dataclass(frozen=True)
class Referring:
    """Refers to a row of the same table: an earlier one, or itself when it has to."""

    columns: tuple[str, ...]
    at: Callable[[int], str]
    draws: Draws
    nullable: bool
    known: Sequence[str] = ()

    def block(self, start: int, count: int) -> Iterable[str]:
        """Of sixteen rows one stands at a root, the others below an earlier row."""
        for row, number in enumerate(self.draws.numbers(1 << 16, count), start):
            if not self.nullable and (row == 0 or number < 4096):
                yield self.at(row)
            elif row == 0 or number < 4096:
                yield NULL
            else:
                yield self.at(row * number * number >> 32)
