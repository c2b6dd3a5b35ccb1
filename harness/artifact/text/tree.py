"""A file of JSON or YAML: its value, and the spot of every string in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from harness.artifact.text.spot import Spot

Path: TypeAlias = tuple[str | int, ...]

KEY: Final = "\0key"
"""The last part of the path of a key, behind the key itself."""


@dataclass(frozen=True)
class TextTree:
    """A parsed file; the spots are looked for when the first one is asked for."""

    value: Any
    locate: Callable[[], Mapping[Path, Spot]]

    @cached_property
    def spots(self) -> Mapping[Path, Spot]:
        """The spot of every string, by its path; that of a key ends in KEY."""
        return self.locate()

    def walk(self) -> Iterator[tuple[Path, Any]]:
        """Every value, the outer before the inner ones."""
        pending: list[tuple[Path, Any]] = [((), self.value)]
        while pending:
            path, value = pending.pop()
            yield path, value
            if isinstance(value, dict):
                pending += [((*path, key), one) for key, one in reversed(value.items())]
            elif isinstance(value, list):
                pending += [((*path, n), one) for n, one in reversed(list(enumerate(value)))]


class UnreadTree(Exception):  # noqa: N818 - reads as what happened
    """A file is not what its name says; why, and in which line."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def spell_path(path: Path) -> str:
    """A path as JSON path writes it: $.panels[0].title."""
    parts = []
    for part in path:
        if part == KEY:
            continue
        if isinstance(part, int):
            parts.append(f"[{part}]")
        elif part.replace("_", "a").isalnum():
            parts.append(f".{part}")
        else:
            parts.append(f"[{part!r}]")
    return "$" + "".join(parts)
