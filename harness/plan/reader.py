"""Read tables of a TOML file strictly, and name the line of what is wrong."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
LONGEST = 24 * 86_400.0  # Postgres holds milliseconds in a signed integer
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|min|h)")


class Reader:
    """A parsed TOML file and its text: it knows the line of what is wrong."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def where(self, key: str, table: str | None = None) -> str:
        """File and line on which `key` (in `table`) is written, as near as text can tell."""
        start = 0
        if table:
            header = re.compile(rf"^\s*\[\[?\s*{re.escape(table)}\s*\]")
            start = next((n for n, line in enumerate(self.lines) if header.match(line)), 0)
        name = re.escape(key)
        for pattern, first in (
            (rf'^\s*(\[\[?\s*)?"?{name}"?\s*[\].=]', start),
            (rf'(^|[\s.{{,"]){name}"?\s*=', 0),  # a.key = …, or {{ key = … }}
        ):
            wanted = re.compile(pattern)
            for number in range(first, len(self.lines)):
                if wanted.search(self.lines[number]):
                    return f"{self.path}:{number + 1}"
        return f"{self.path}:{start + 1}"

    def table(self, document: dict[str, Any], name: str, known: set[str]) -> dict[str, Any]:
        """A table of the document, empty when it is not there, with no key but the known."""
        value = document.get(name, {})
        if not isinstance(value, dict):
            raise UsageError(f"[{name}] must be a table", where=self.where(name))
        self.only(value, known, name)
        return value

    def only(self, values: dict[str, Any], known: set[str], table: str | None) -> None:
        """Refuse the first key that is not known."""
        for key in values:
            if key not in known:
                place = f" in [{table}]" if table else ""
                raise UsageError(
                    f"unknown key {key!r}{place}",
                    where=self.where(key, table),
                    hint=suggestion(key, known),
                )

    def text(self, values: dict[str, Any], key: str, table: str | None = None) -> str:
        """A text that must be there."""
        value = values.get(key)
        if not isinstance(value, str) or not value.strip():
            place = f"[{table}] needs" if table else "the plan needs"
            raise UsageError(f"{place} a text {key!r}", where=self.where(key, table))
        if "\0" in value:
            raise UsageError(f"{key} holds a NUL character", where=self.where(key, table))
        return value

    def number(self, values: dict[str, Any], key: str, default: float, table: str) -> float:
        """A number that is not negative, and finite."""
        value = self._number(values, key, default, table)
        if not math.isfinite(value):
            raise UsageError(f"{key} is a number, not {value!r}", where=self.where(key, table))
        return value

    def _number(self, values: dict[str, Any], key: str, default: float, table: str) -> float:
        value = values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise UsageError(f"{key} is a number, not {value!r}", where=self.where(key, table))
        return float(value)

    def within(
        self, values: dict[str, Any], key: str, default: float, table: str, most: float
    ) -> float:
        """A number above 0 and at most `most`: a threshold of 0 would always be reached."""
        value = self._number(values, key, default, table)
        if not 0 < value <= most:
            raise UsageError(
                f"{key} is above 0 and at most {most:g}, not {values[key]!r}",
                where=self.where(key, table),
            )
        return value

    def whole(self, values: dict[str, Any], key: str, default: int, table: str) -> int:
        """A whole number of at least 1."""
        value = values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(
                f"{key} is a whole number of at least 1, not {value!r}",
                where=self.where(key, table),
            )
        return value

    def flag(self, values: dict[str, Any], key: str, table: str) -> bool:
        """True or false; false when it is not there."""
        value = values.get(key, False)
        if not isinstance(value, bool):
            raise UsageError(f"{key} is true or false, not {value!r}", where=self.where(key, table))
        return value

    def time(self, values: dict[str, Any], key: str, default: float, table: str) -> float:
        """A time in seconds, written with its unit."""
        if key not in values:
            return default
        return seconds(key, values[key], self.where(key, table))

    def texts(self, values: dict[str, Any], key: str, table: str) -> tuple[str, ...]:
        """A list of texts, empty when it is not there."""
        value = values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise UsageError(f"{key} is a list of texts", where=self.where(key, table))
        return tuple(value)


def suggestion(key: str, known: Iterable[str]) -> str:
    """Which of the known keys may have been meant, and which there are."""
    names = sorted(known)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.75)
    return (f"did you mean {near[0]!r}; " if near else "") + f"known are {', '.join(names)}"


def seconds(key: str, value: Any, where: str) -> float:
    """A time such as "2s" in seconds; 0 means no limit."""
    if value == 0 and not isinstance(value, bool):
        return 0.0
    match = DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise UsageError(f'{key} is a time such as "2s" or "500ms", not {value!r}', where=where)
    return float(match[1]) * UNITS[match[2]]
