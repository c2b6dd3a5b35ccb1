"""Values without end of which no two are alike, for what has to be unique."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from harness.rows.hints import NOTHING, merge_hints
from harness.rows.sample import numbers, texts, times
from harness.rows.sample.field import ValueField
from harness.rows.sample.nested import write_array

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_ODD: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835
_HALF: Final = (1 << 122) - 1


@dataclass(frozen=True)
class Stream:
    """A value for every number from 0 to below `capacity`."""

    at: Callable[[int], str]
    capacity: int
    whole: tuple[int, int] | None = None
    """First number and step, where the values are whole numbers in steps."""


def stream_of(field: ValueField, count: int, key: str) -> Stream | None:
    """Distinct values of a type, None where there is no such stream; `count` are wanted."""
    hints = field.hints
    if hints.values or hints.patterns or hints.elements:
        return None
    kind = field.type.kind
    if kind == "d":
        return _of_domain(field, count, key)
    if kind == "a":
        return _of_array(field, count, key)
    if kind == "r":
        return _of_range(field)
    make = _MAKERS.get(field.type.name) if kind == "b" else None
    return make(field, count, key) if make else None


def _of_domain(field: ValueField, count: int, key: str) -> Stream | None:
    guides = field.guides.get(field.type.oid) or (NOTHING,)
    hints = merge_hints(field.hints, guides[0]) or field.hints
    kind = field.type
    modifier = kind.base_modifier if kind.base_modifier != -1 else field.modifier
    return stream_of(field.at(kind.base, modifier, hints), count, key)


def _of_array(field: ValueField, count: int, key: str) -> Stream | None:
    inner = stream_of(field.at(field.type.element, field.modifier), count, key)
    times_ = max(field.hints.shortest or 1, 1)
    if inner is None:
        return None
    return Stream(lambda row: write_array([inner.at(row)] * times_), inner.capacity)


def _of_range(field: ValueField) -> Stream | None:
    """Ranges of which no two overlap."""
    inner = field.at(field.type.subtype)
    if inner.type.name in numbers.INTEGERS or inner.type.name == "numeric":
        return Stream(lambda row: f"[{2 * row + 1},{2 * row + 2})", (1 << 30) - 2)
    if inner.type.name in ("date", "timestamp", "timestamptz"):
        start = times.ANCHOR - timedelta(20_000)
        if inner.type.name == "date":
            step, unit, form = 2, timedelta(1), "%Y-%m-%d"
        else:
            step, unit, form = 2, timedelta(hours=1), "%Y-%m-%d %H:%M:%S"
        zone = "+00" if inner.type.name == "timestamptz" else ""

        def at(row: int) -> str:
            low = start + unit * step * row
            return f'["{low:{form}}{zone}","{low + unit:{form}}{zone}")'

        return Stream(at, 1_400_000)
    return None


def _integers(field: ValueField, _count: int, _key: str) -> Stream | None:
    least, most = numbers.integer_bounds(field)
    first = min(max(1, least), most)
    if most - first < least * -1 - 1 and least < 0 and most < 1:
        first = least
    return Stream(lambda row: str(first + row), most - first + 1, (first, 1))


def _numerics(field: ValueField, _count: int, _key: str) -> Stream | None:
    precision, scale = numbers.numeric_shape(field.modifier) or (18, 0)
    step = Decimal(1).scaleb(-scale)
    low = numbers.read_number(field.hints.low)
    high = numbers.read_number(field.hints.high)
    most = min(high, Decimal(10) ** (precision - scale)) if high is not None else None
    most = most if most is not None else Decimal(10) ** (precision - scale)
    first = low if low is not None else min(Decimal(1), most)
    if high is None and precision - scale > 9:
        step = Decimal(1)
    first = (first / step).to_integral_value("ROUND_CEILING") * step
    first += step if field.hints.low_open else 0
    return Stream(lambda row: f"{first + step * row:f}", max(int((most - first) / step), 0))


def _floats(field: ValueField, _count: int, _key: str) -> Stream | None:
    low = numbers.read_number(field.hints.low)
    high = numbers.read_number(field.hints.high)
    first = int(low) + 1 if low is not None else 1
    room = int(high) - first if high is not None else 1 << 23
    return Stream(lambda row: str(first + row), max(room, 0))


def _texts(field: ValueField, count: int, key: str) -> Stream | None:
    if field.hints.low is not None or field.hints.high is not None:
        return None
    limit = texts.length_limit(field)
    rng = random.Random(key)
    width = len(str(10 * count + 1000))
    upper = field.hints.case == "upper"
    if limit is not None and limit < width + 4:
        return _codes(limit, upper)
    plain = replace(field, profile=replace(field.profile, edge=0.0))
    stems = [texts.sample_text(plain, rng) for _ in range(199)]
    if limit is not None:
        stems = [stem[: limit - width - 1] for stem in stems]
    heads, tails = zip(*map(_split_stem, stems), strict=True)
    room = 10**width if limit is not None else 1 << 62
    return Stream(lambda row: f"{heads[row % 199]}{row + 1}{tails[row % 199]}", room)


def _split_stem(stem: str) -> tuple[str, str]:
    """Where a number goes: before the @ of an address, and otherwise at the end."""
    head, sign, tail = stem.rpartition("@")
    if sign and "." in tail and "@" not in head:
        return head, f"@{tail}"
    blank = " " if " " in stem else ""
    return stem.rstrip(".") + blank, ""


def _codes(limit: int, upper: bool) -> Stream:
    digits = _DIGITS.upper() if upper else _DIGITS

    def at(row: int) -> str:
        text = ""
        for _ in range(limit):
            row, digit = divmod(row, 36)
            text = digits[digit] + text
        return text

    return Stream(at, 36**limit)


def _uuids(_field: ValueField, _count: int, key: str) -> Stream | None:
    start = random.Random(key).getrandbits(122)

    def at(row: int) -> str:
        bits = (start + (row + 1) * _ODD) & _HALF
        text = f"{bits:031x}"
        return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:30]}"

    return Stream(at, 1 << 60)


def _moments(field: ValueField, count: int, _key: str) -> Stream | None:
    low, high = times.moment_bounds(field)
    day = field.type.name == "date"
    unit = timedelta(1) if day else timedelta(seconds=1)
    if field.hints.low is None and field.hints.high is None and day and count > 1000:
        low = high - timedelta(count + 1000)
    low += unit if field.hints.low_open else timedelta(0)
    high -= unit if field.hints.high_open else timedelta(0)
    room = (high - low) // unit + 1
    if room < 1:
        return None
    # steps of the golden ratio: spread over the whole span after any number of rows
    stride = int(room * 0.618) + 1
    while math.gcd(stride, room) > 1:
        stride += 1
    zone = "+00" if field.type.name == "timestamptz" else ""
    form = "%Y-%m-%d" if day else "%Y-%m-%d %H:%M:%S"
    return Stream(lambda row: f"{low + unit * (row * stride % room):{form}}{zone}", room)


def _clocks(field: ValueField, _count: int, _key: str) -> Stream | None:
    zone = "+00" if field.type.name == "timetz" else ""
    return Stream(
        lambda row: f"{row // 3600:02d}:{row // 60 % 60:02d}:{row % 60:02d}{zone}", 86_400
    )


def _bits(field: ValueField, _count: int, _key: str) -> Stream | None:
    length = field.modifier if field.modifier > 0 else (1 if field.type.name == "bit" else 40)
    return Stream(lambda row: f"{row:0{length}b}", 1 << min(length, 62))


def _bytes(field: ValueField, _count: int, _key: str) -> Stream | None:
    least, most = field.hints.shortest or 0, field.hints.longest or 64
    length = min(max(least, 8), most)
    return Stream(lambda row: f"\\x{row + 1:0{2 * length}x}", 1 << min(8 * length, 62) - 1)


def _written(form: Callable[[int], str], capacity: int) -> Callable[..., Stream]:
    return lambda *_: Stream(form, capacity)


def _json(field: ValueField, _count: int, _key: str) -> Stream | None:
    if field.hints.json_type not in (None, "object") or field.hints.json_keys:
        return None
    return Stream(lambda row: f'{{"id": {row + 1}}}', 1 << 60)


_MAKERS: Final[dict[str, Callable[[ValueField, int, str], Stream | None]]] = {
    **dict.fromkeys(numbers.INTEGERS, _integers),
    "numeric": _numerics,
    "float4": _floats,
    "float8": _floats,
    "money": _floats,
    **dict.fromkeys(texts.SAMPLERS, _texts),
    "uuid": _uuids,
    "date": _moments,
    "timestamp": _moments,
    "timestamptz": _moments,
    "time": _clocks,
    "timetz": _clocks,
    "interval": _written(lambda row: f"{row} seconds", 1 << 40),
    "bit": _bits,
    "varbit": _bits,
    "bytea": _bytes,
    "inet": _written(lambda n: f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}", 1 << 24),
    "cidr": _written(lambda n: f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}/32", 1 << 24),
    "macaddr": _written(
        lambda n: f"02:00:{n >> 24 & 255:02x}:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}",
        1 << 32,
    ),
    "macaddr8": _written(
        lambda n: (
            f"02:00:00:00:{n >> 24 & 255:02x}:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"
        ),
        1 << 32,
    ),
    "pg_lsn": _written(lambda row: f"{row >> 32:X}/{row & 0xFFFFFFFF:X}", 1 << 60),
    "jsonb": _json,
    "ltree": _written(lambda row: f"top.n{row + 1}", 1 << 60),
    "hstore": _written(lambda row: f'"id"=>"{row + 1}"', 1 << 60),
    "tsvector": _written(lambda row: f"'w{row + 1}':1", 1 << 60),
    "box": _written(lambda n: f"({4 * n + 1},{1}),({4 * n},{0})", 1 << 40),
    "circle": _written(lambda n: f"<({4 * n},0),1>", 1 << 40),
    "polygon": _written(lambda n: f"(({4 * n},0),({4 * n + 1},0),({4 * n},1))", 1 << 40),
}
