"""Where a key of a TOML document is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str, ...]


def line_of(text: str, path: Sequence[str]) -> int:
    """The line on which the key at `path` is first written, counted from 1.

    Of a path that is not in the document, the line of the longest part of it that is.
    """
    lines = _lines(text)
    for length in range(len(path), 0, -1):
        found = lines.get(tuple(path[:length]))
        if found is not None:
            return found
    return 1


@lru_cache(maxsize=4)
def _lines(text: str) -> Mapping[Place, int]:
    """The line of every key of a document."""
    # tomllib tells no lines. But a document that is cut after a statement is a document, so a key
    # stands in the lines by which the shortest one that has it is longer than the one before.
    lines = [line + "\n" for line in text.replace("\r\n", "\n").split("\n")]
    found: dict[Place, int] = {}
    before = 0
    for number, line in enumerate(lines, 1):
        if not _says_something(line):
            continue  # says nothing, or stands within what the next lines end
        try:
            document = tomllib.loads("".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # cut within an array or a text of several lines
        first = next(n for n in range(before, number) if _says_something(lines[n]))
        for place in _places(document):
            found.setdefault(place, first + 1)
        before = number
    return found


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _places(document: Mapping[str, Any], above: Place = ()) -> Iterator[Place]:
    for key, value in document.items():
        yield (*above, key)
        if isinstance(value, Mapping):
            yield from _places(value, (*above, key))
