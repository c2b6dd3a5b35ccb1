"""A string inside a file: its value, its span, and where each of its characters is spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.artifact.sql.edits import Edit


class UnreadSpot(Exception):  # noqa: N818 - reads as what happened
    """A string is spelled in a way in which its characters cannot be told apart."""


@dataclass(frozen=True)
class Spot:
    """A string with its span in the file's text; `offsets` has the place of every character of the
    value, and of its end. `spell` writes new characters as this kind of string has them.
    """

    value: str
    start: int
    end: int
    offsets: Callable[[], Sequence[int]]
    spell: Callable[[str], str]


@dataclass(frozen=True, order=True)
class Splice:
    """Characters of a file's text to be replaced."""

    start: int
    end: int
    put: str


def splices_of(spot: Spot, edits: Iterable[Edit]) -> list[Splice]:
    """What edits of a string's value (in bytes) are in its file. Raises UnreadSpot."""
    offsets = spot.offsets()
    value = spot.value.encode()
    found = []
    for edit in edits:
        first = len(value[: edit.start].decode())
        last = len(value[: edit.end].decode())
        found.append(Splice(offsets[first], offsets[last], spot.spell(edit.put.decode())))
    return found


def splice(text: str, splices: Iterable[Splice]) -> str:
    """The text with every splice made. Raises ValueError where two of them overlap."""
    made: list[str] = []
    position = 0
    for one in sorted(set(splices)):
        if one.start < position:
            raise ValueError("two edits of one place")
        made += (text[position : one.start], one.put)
        position = one.end
    return "".join((*made, text[position:]))
