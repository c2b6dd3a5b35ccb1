"""Read tables of a TOML file strictly, and name the line of what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.errors import UsageError

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
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
        wanted = re.compile(rf'^\s*(\[\[?\s*)?"?{re.escape(key)}"?\s*[\].=]')
        for number in range(start, len(self.lines)):
            if wanted.match(self.lines[number]):
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
                    hint=f"known are {', '.join(sorted(known))}",
                )

    def text(self, values: dict[str, Any], key: str, table: str | None = None) -> str:
        """A text that must be there."""
        value = values.get(key)
        if not isinstance(value, str) or not value.strip():
            place = f"[{table}] needs" if table else "the plan needs"
            raise UsageError(f"{place} a text {key!r}", where=self.where(key, table))
        return value

    def number(self, values: dict[str, Any], key: str, default: float, table: str) -> float:
        """A number that is not negative."""
        value = values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise UsageError(f"{key} is a number, not {value!r}", where=self.where(key, table))
        return float(value)

    def within(
        self, values: dict[str, Any], key: str, default: float, table: str, most: float
    ) -> float:
        """A number above 0 and at most `most`: a threshold of 0 would always be reached."""
        value = self.number(values, key, default, table)
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


def seconds(key: str, value: Any, where: str) -> float:
    """A time such as "2s" in seconds; 0 means no limit."""
    if value == 0 and not isinstance(value, bool):
        return 0.0
    match = DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise UsageError(f'{key} is a time such as "2s" or "500ms", not {value!r}', where=where)
    return float(match[1]) * UNITS[match[2]]
