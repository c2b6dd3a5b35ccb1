"""What a CHECK says about one column, as far as it helps to guess a value.

A hint need not be exact: every value is held against the CHECK by the server before it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

Key: TypeAlias = tuple[int, Decimal, str]


@dataclass(frozen=True)
class Hints:
    """Where the values of a column lie. Constants are SQL text."""

    null: bool | None = None
    """True: only NULL; False: never NULL."""
    low: str | None = None
    low_open: bool = False
    high: str | None = None
    high_open: bool = False
    values: tuple[str, ...] | None = None
    patterns: tuple[str, ...] = ()
    shortest: int | None = None
    longest: int | None = None
    case: str | None = None
    json_type: str | None = None
    json_keys: Mapping[str, Hints] = field(default_factory=dict)
    elements: tuple[str, ...] | None = None
    avoided: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return id(self)


NOTHING = Hints()


@dataclass(frozen=True)
class Order:
    """A comparison of two columns."""

    left: str
    operator: str
    right: str


@dataclass(frozen=True)
class Assigned:
    """A column that equals an expression of other columns."""

    column: str
    expression: str


@dataclass(frozen=True)
class Branch:
    """One way to satisfy an expression: hints by column, and columns held against each other."""

    hints: Mapping[str, Hints] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    assigned: tuple[Assigned, ...] = ()


def sort_key(text: str) -> Key:
    """Numbers by value, and everything else by its text."""
    try:
        number = Decimal(text)
        if number.is_finite():
            return (0, number, "")
    except InvalidOperation:
        pass
    return (1, Decimal(0), text)


def merge_hints(one: Hints, other: Hints) -> Hints | None:
    """What both say; None where they contradict each other."""
    values = _both(one.values, other.values)
    elements = _both(one.elements, other.elements)
    if values == () or elements == ():
        return None
    if one.null is not None and other.null is not None and one.null != other.null:
        return None
    low, low_open = _tighter(one, other, "low")
    high, high_open = _tighter(one, other, "high")
    keys = dict(one.json_keys)
    for name, hints in other.json_keys.items():
        keys[name] = merge_hints(keys.get(name, NOTHING), hints) or hints
    return Hints(
        null=one.null if other.null is None else other.null,
        low=low,
        low_open=low_open,
        high=high,
        high_open=high_open,
        values=values,
        patterns=tuple(dict.fromkeys(one.patterns + other.patterns)),
        shortest=_pick(max, one.shortest, other.shortest),
        longest=_pick(min, one.longest, other.longest),
        case=one.case or other.case,
        json_type=one.json_type or other.json_type,
        json_keys=keys,
        elements=elements,
        avoided=one.avoided + other.avoided,
    )


def merge_branches(one: Branch, other: Branch) -> Branch | None:
    """Both at once; None where they contradict each other."""
    hints = dict(one.hints)
    for name, more in other.hints.items():
        merged = merge_hints(hints.get(name, NOTHING), more)
        if merged is None:
            return None
        hints[name] = merged
    return Branch(
        hints,
        tuple(dict.fromkeys(one.orders + other.orders)),
        tuple(dict.fromkeys(one.assigned + other.assigned)),
    )


def without_null(hints: Hints) -> Hints:
    """The same hints of a column that is never NULL."""
    return replace(hints, null=False)


def _both(
    one: tuple[str, ...] | None, other: tuple[str, ...] | None
) -> tuple[str, ...] | None:  # fmt: skip
    if one is None or other is None:
        return other if one is None else one
    keys = {sort_key(value) for value in other}
    return tuple(value for value in one if sort_key(value) in keys)


def _pick(choose: Any, *values: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return choose(known) if known else None


def _tighter(one: Hints, other: Hints, side: str) -> tuple[str | None, bool]:
    bounds: Iterable[tuple[str | None, bool]] = [
        (getattr(hints, side), getattr(hints, f"{side}_open")) for hints in (one, other)
    ]
    known = [(text, is_open) for text, is_open in bounds if text is not None]
    if not known:
        return None, False
    choose = max if side == "low" else min
    return choose(known, key=lambda bound: sort_key(bound[0]))
