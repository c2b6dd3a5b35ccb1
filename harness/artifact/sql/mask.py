"""Template variables in SQL, masked at equal length so that the text parses and places stay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Variable:
    """A variable in a text, in bytes; `name` is what it is called."""

    start: int
    end: int
    name: str


@dataclass(frozen=True)
class Masked:
    """A text as it is and as it is parsed: of one length, differing in its variables alone."""

    text: bytes
    parsed: bytes
    variables: Sequence[Variable] = ()

    @classmethod
    def plain(cls, text: str) -> Masked:
        """A text without variables."""
        return cls(text.encode(), text.encode())

    @cached_property
    def _starts(self) -> list[int]:
        return [one.start for one in self.variables]

    def variable_at(self, position: int) -> str | None:
        """The name of the variable that covers a byte."""
        index = bisect_right(self._starts, position) - 1
        if index >= 0 and position < self.variables[index].end:
            return self.variables[index].name
        return None

    def touches(self, start: int, end: int) -> bool:
        """Whether a variable lies in a part of the text."""
        return any(one.start < end and start < one.end for one in self.variables)

    def whole(self, start: int, end: int) -> str | None:
        """The name of the variable that a part of the text consists of."""
        for one in self.variables:
            if (one.start, one.end) == (start, end):
                return one.name
        return None
