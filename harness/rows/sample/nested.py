"""Types made of others: domains, arrays, composites, ranges and multiranges."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from harness.rows.hints import NOTHING, merge_hints, sort_key
from harness.rows.sample import numbers, others, texts, times
from harness.rows.sample.field import Sampler, ValueField

_BASES: Final[dict[str, Sampler]] = {
    **numbers.SAMPLERS,
    **texts.SAMPLERS,
    **times.SAMPLERS,
    **others.SAMPLERS,
}


class UnknownType(Exception):  # noqa: N818 - caught by the maker of a pool, never shown
    """Nobody knows how to make a value of this type; its name is the message."""


def sample_value(field: ValueField, rng: random.Random) -> str:
    """One value as text, as the type's input takes it. Raises UnknownType."""
    if field.hints.values:
        return rng.choice(field.hints.values)
    make = _KINDS.get(field.type.kind)
    if make is None:
        make = _BASES.get(field.type.name)
    if make is None:
        raise UnknownType(field.type.quoted)
    return make(field, rng)


def knows_type(field: ValueField) -> bool:
    """Whether there is a maker for the type and all that it is made of."""
    try:
        sample_value(field, random.Random(0))
    except UnknownType:
        return False
    return True


def _enum(field: ValueField, rng: random.Random) -> str:
    labels = [label for label in field.type.labels if label not in field.hints.avoided]
    if not labels:
        raise UnknownType(f"{field.type.quoted}, an enum without a label")
    return labels[int(len(labels) * rng.random() ** 1.5)]


def _domain(field: ValueField, rng: random.Random) -> str:
    kind = field.type
    guides = field.guides.get(kind.oid) or (NOTHING,)
    hints = merge_hints(field.hints, rng.choice(guides)) or field.hints
    modifier = kind.base_modifier if kind.base_modifier != -1 else field.modifier
    return sample_value(field.at(kind.base, modifier, hints), rng)


def _array(field: ValueField, rng: random.Random) -> str:
    hints = field.hints
    least = hints.shortest or 0
    longest = hints.longest if hints.longest is not None else least + 4
    inner = replace(NOTHING, values=hints.elements)
    place = field.at(field.type.element, field.modifier, inner)
    values = [sample_value(place, rng) for _ in range(rng.randint(least, max(least, longest)))]
    return write_array(values)


def write_array(values: list[str]) -> str:
    """An array literal."""
    return "{" + ",".join(map(_quoted, values)) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _composite(field: ValueField, rng: random.Random) -> str:
    parts = []
    for attribute in field.type.attributes:
        place = field.at(attribute.type, attribute.modifier, name=attribute.name)
        empty = rng.random() < field.profile.empty and place.type.kind != "d"
        parts.append("" if empty else _quoted(sample_value(place, rng)))
    return f"({','.join(parts)})"


def _range(field: ValueField, rng: random.Random) -> str:
    if field.edge(rng):
        return rng.choice(["empty", "(,)"])
    place = field.at(field.type.subtype, field.modifier)
    low, high = sorted((sample_value(place, rng), sample_value(place, rng)), key=sort_key)
    return f"[{low},{high})" if low != high else f"[{low},{high}]"


def _multirange(field: ValueField, rng: random.Random) -> str:
    place = field.at(field.type.subtype, field.modifier)
    ends = sorted({sample_value(place, rng) for _ in range(4)}, key=sort_key)
    pairs = zip(ends[::2], ends[1::2], strict=False)
    return "{" + ",".join(f"[{low},{high})" for low, high in pairs) + "}"


_KINDS: Final[dict[str, Sampler]] = {
    "e": _enum,
    "d": _domain,
    "a": _array,
    "c": _composite,
    "r": _range,
    "m": _multirange,
}
