"""How pages are made: templates of this package, and numbers as a person reads them."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

UNITS = ("B", "kB", "MB", "GB", "TB")


def environment() -> Environment:
    """Templates that escape what they show and know of no undefined name."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(breakable=breakable, count=count, duration=duration, size=size, rate=rate)
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


def rate(number: float | None) -> str:
    """Something a second, in as many digits as are of use."""
    return "" if number is None else f"{number:,.0f}/s" if number >= 10 else f"{number:.1f}/s"
