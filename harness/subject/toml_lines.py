"""Where a key of a TOML document is written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any


def line_of(text: str, path: Sequence[str]) -> int:
    """The line on which the key at `path` is first written, counted from 1.

    Of a path that is not in the document, the line of the longest part of it that is.
    """
    for length in range(len(path), 0, -1):
        found = _first_line(text, path[:length])
        if found is not None:
            return found
    return 1


def _first_line(text: str, path: Sequence[str]) -> int | None:
    # tomllib tells no lines. But a document that is cut after a statement is a document, so the
    # key stands in the lines by which the shortest one that has it is longer than the one before.
    lines = [line + "\n" for line in text.replace("\r\n", "\n").split("\n")]
    before = 0
    for number in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # cut within an array or a text of several lines
        if _holds(document, path):
            return before + 1
        before = number
    return None


def _holds(document: Any, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(document, Mapping) or key not in document:
            return False
        document = document[key]
    return True
