"""Spans of time that do not overlap, asked by a moment or by another span."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Spans:
    """Spans in the order of their beginnings, which is that of their ends as well."""

    begins: tuple[float, ...]
    ends: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Spans:
        """The spans of some pairs of beginning and end."""
        ordered = sorted(pairs)
        return cls(tuple(begin for begin, _ in ordered), tuple(end for _, end in ordered))

    def holds(self, moment: float) -> bool:
        """Whether a moment is in one of them; an end is not."""
        place = bisect_right(self.begins, moment) - 1
        return place >= 0 and moment < self.ends[place]

    def meeting(self, begin: float, end: float) -> Iterator[int]:
        """The places of those that a span meets, in their order."""
        place = bisect_right(self.ends, begin)
        while place < len(self.begins) and self.begins[place] <= end:
            yield place
            place += 1

    @property
    def seconds(self) -> float:
        """How long they are together."""
        return sum(self.ends) - sum(self.begins)
