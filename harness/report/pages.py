"""How pages are made: templates of this package, and numbers as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, FunctionLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).with_name("templates")
UNITS = ("B", "kB", "MB", "GB", "TB")


def environment(others: Mapping[str, Path] | None = None) -> Environment:
    """Templates that escape what they show and know of no undefined name.

    `others` are templates that lie elsewhere, by the names under which pages include them.
    """
    there = others or {}

    def load(name: str) -> str | None:
        return there[name].read_text("utf-8") if name in there else None

    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FunctionLoader(load)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (breakable, count, duration, size, rate, per_second)
    made.filters.update({one.__name__: one for one in filters})
    return made


def breakable(name: str) -> Markup:
    """A name that may be broken after its underscores, dots and slashes: it fits on a phone."""
    parts = re.split(r"(?<=[_./])", name)
    return Markup("<wbr>").join(parts)  # join escapes them


def count(number: float) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,.0f}"


def duration(seconds: float) -> str:
    """Milliseconds, seconds, or minutes and seconds."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes >= 2 else f"{seconds:.1f} s"


def size(number: float) -> str:
    """Bytes in the largest unit that fits."""
    unit = 0
    while number >= 1000 and unit < len(UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {UNITS[unit]}" if unit == 0 else f"{number:.1f} {UNITS[unit]}"


def per_second(number: float | None) -> str:
    """A rate whose unit stands beside it."""
    return rate(number).removesuffix("/s")


def rate(number: float | None) -> str:
    """Something a second, in as many digits as are of use."""
    return "" if number is None else f"{number:,.0f}/s" if number >= 10 else f"{number:.1f}/s"
