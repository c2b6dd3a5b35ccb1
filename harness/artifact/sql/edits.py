"""Edits of a text at byte positions, and what could not be decided, at its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harness.artifact.renames import ValuePairs


class Edit(NamedTuple):
    """Bytes to put in the place of others."""

    start: int
    end: int
    put: bytes


class Doubt(NamedTuple):
    """Why a text is left as it is, and the byte where it shows."""

    position: int
    reason: str


@dataclass
class Notes:
    """What a walk through a text found out."""

    edits: set[Edit] = field(default_factory=set)
    doubts: list[Doubt] = field(default_factory=list)
    variables: dict[str, ValuePairs] = field(default_factory=dict)
    """Template variables that are compared with a column of which the values changed."""
    outputs: dict[str, str] = field(default_factory=dict)
    """The columns of the result that are called otherwise: before and after."""
    vocabularies: dict[str, ValuePairs] = field(default_factory=dict)
    """What the values of a column of the result became, by its name before."""


def apply_edits(text: bytes, edits: set[Edit]) -> bytes:
    """The text with every edit made. Raises ValueError where two of them overlap."""
    made: list[bytes] = []
    position = 0
    for edit in sorted(edits):
        if edit.start < position:
            raise ValueError("two edits of one place")
        made += (text[position : edit.start], edit.put)
        position = edit.end
    return b"".join((*made, text[position:]))
