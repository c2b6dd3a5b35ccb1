"""Numbers: whole, exact and floating."""

from __future__ import annotations

import random
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from harness.rows.sample.field import Sampler, ValueField

INTEGERS: Final = {
    "int2": (-(1 << 15), (1 << 15) - 1),
    "int4": (-(1 << 31), (1 << 31) - 1),
    "int8": (-(1 << 63), (1 << 63) - 1),
    "oid": (0, (1 << 32) - 1),
    "xid": (0, (1 << 32) - 1),
    "xid8": (0, (1 << 63) - 1),
    "cid": (0, (1 << 32) - 1),
}
_USUAL: Final = [  # by the column's name
    (re.compile(pattern), bounds)
    for pattern, bounds in (
        (r"(^|_)(age|years)$", (18, 90)),
        (r"year", (1990, 2026)),
        (r"month", (1, 12)),
        (r"percent|_pct$", (0, 100)),
        (r"rating|stars|priority|level", (1, 5)),
        (r"quantity|qty|count|nb_|num_", (1, 40)),
        (r"position|index|order$|rank|sort", (0, 200)),
        (r"latitude|(^|_)lat$", (-85, 85)),
        (r"longitude|(^|_)(lng|lon)$", (-180, 180)),
        (r"port$", (1024, 65535)),
        (r"duration|seconds|minutes", (1, 7200)),
    )
]
_MOST: Final = 100_000
_NARROW: Final = 1000
"""Bounds so near to each other are the column's own: its name says no more."""


@lru_cache(maxsize=1024)
def usual_bounds(name: str) -> tuple[int, int]:
    """Between which numbers a column of this name lies in life."""
    for pattern, bounds in _USUAL:
        if pattern.search(name.lower()):
            return bounds
    return 1, _MOST


def integer_bounds(field: ValueField) -> tuple[int, int]:
    """The least and the greatest value that the type and the hints leave."""
    least, most = INTEGERS[field.type.name]
    low, high = read_number(field.hints.low), read_number(field.hints.high)
    if low is not None:
        floor = int(low.to_integral_value("ROUND_CEILING"))
        least = max(least, floor + (field.hints.low_open and floor == low))
    if high is not None:
        ceiling = int(high.to_integral_value("ROUND_FLOOR"))
        most = min(most, ceiling - (field.hints.high_open and ceiling == high))
    return least, most


def sample_integer(field: ValueField, rng: random.Random) -> str:
    """A whole number."""
    least, most = integer_bounds(field)
    if field.edge(rng):
        return str(rng.choice([least, most, min(max(0, least), most)]))
    low, high = _within(usual_bounds(field.name), least, most)
    return str(_skewed(low, high, rng))


def _within(usual: tuple[int, int], least: int, most: int) -> tuple[int, int]:
    """The usual bounds, moved to where a value may be."""
    low, high = usual
    if most - least <= _NARROW:
        return least, most
    if low > most or high < least:
        low, high = (least, least + _MOST) if least > -_MOST else (most - _MOST, most)
    return max(low, least), max(min(high, most), max(low, least))


def _skewed(low: int, high: int, rng: random.Random) -> int:
    """More small numbers than large ones."""
    return low + int((high - low + 1) * rng.random() ** 2)


def read_number(text: str | None) -> Decimal | None:
    """The number that a constant is, None when it is not a finite one."""
    try:
        number = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def numeric_shape(modifier: int) -> tuple[int, int] | None:
    """Precision and scale of a numeric's modifier, None without one."""
    if modifier < 4:
        return None
    scale = (modifier - 4) & 0x7FF
    return ((modifier - 4) >> 16) & 0xFFFF, scale - 0x800 if scale >= 0x400 else scale


def sample_numeric(field: ValueField, rng: random.Random) -> str:
    """An exact number that fits precision and scale."""
    shape = numeric_shape(field.modifier)
    precision, scale = shape or (12, 2)
    step = Decimal(1).scaleb(-scale)
    most = Decimal(10) ** (precision - scale) - step
    if shape is None:
        known = (read_number(field.hints.low), read_number(field.hints.high))
        most = max([most, *(abs(number) * 10 for number in known if number is not None)])
    low, high = _decimal_bounds(field, -most, most, step)
    if field.edge(rng):
        return str(rng.choice([low, high, "NaN"] if shape is None else [low, high]))
    usual = usual_bounds(field.name)
    bottom = max(low, min(Decimal(usual[0]), high))
    top = min(high, max(Decimal(usual[1]), low))
    top = high if top <= bottom else top
    steps = int((top - bottom) / step)
    return f"{bottom + step * int((steps + 1) * rng.random() ** 2):f}"


def _decimal_bounds(
    field: ValueField, least: Decimal, most: Decimal, step: Decimal
) -> tuple[Decimal, Decimal]:
    low, high = read_number(field.hints.low), read_number(field.hints.high)
    if low is not None:
        rounded = (low / step).to_integral_value("ROUND_CEILING") * step
        least = max(least, rounded + (step if field.hints.low_open and rounded == low else 0))
    if high is not None:
        rounded = (high / step).to_integral_value("ROUND_FLOOR") * step
        most = min(most, rounded - (step if field.hints.high_open and rounded == high else 0))
    return least, most


def sample_float(field: ValueField, rng: random.Random) -> str:
    """A floating point number; few digits, so that every version prints the same."""
    if field.edge(rng):
        return rng.choice(["0", "-0", "Infinity", "-Infinity", "NaN", "1e-30", "1e30"])
    low, high = read_number(field.hints.low), read_number(field.hints.high)
    usual = usual_bounds(field.name)
    bottom = float(low) if low is not None else min(usual[0], float(high or usual[0]) - 1)
    top = float(high) if high is not None else max(usual[1], bottom + 1)
    return f"{bottom + (top - bottom) * (0.001 + 0.998 * rng.random() ** 2):.6g}"


def sample_money(field: ValueField, rng: random.Random) -> str:
    """An amount of money, without the sign of a currency, which is the server's."""
    low, high = read_number(field.hints.low), read_number(field.hints.high)
    bottom, top = int(low or 0), int(high if high is not None else (low or 0) + _MOST)
    return f"{_skewed(bottom, max(top - 1, bottom), rng)}.{rng.randrange(100):02d}"


SAMPLERS: Final[dict[str, Sampler]] = {
    **dict.fromkeys(INTEGERS, sample_integer),
    "numeric": sample_numeric,
    "float4": sample_float,
    "float8": sample_float,
    "money": sample_money,
}
