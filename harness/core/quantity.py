"""Numbers as a person reads them: durations, sizes, rates; printed in one way everywhere."""

from __future__ import annotations

from typing import Final

UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def count(number: float) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,.0f}"


def duration(seconds: float) -> str:
    """Milliseconds, seconds, or minutes and seconds."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes >= 2 else f"{seconds:.1f} s"


def timing(seconds: float) -> str:
    """A measured time in three digits, so that a change of a few percent is seen."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"


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


def time_left(seconds: float) -> str:
    """How long something will take yet: nobody knows it to the second once it is minutes."""
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
