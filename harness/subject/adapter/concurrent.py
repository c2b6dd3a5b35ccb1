"""Whether a script holds what no transaction may hold."""

from __future__ import annotations

import re
from typing import Final

_CONCURRENT: Final = re.compile(
    r"\b(?:(?:create\s+(?:unique\s+)?|drop\s+)index\s+concurrently|reindex\b[^;]*\bconcurrently"
    r"|vacuum\b|detach\s+partition\b[^;]*\bconcurrently|create\s+database|drop\s+database"
    r"|alter\s+system)\b",
    re.I,
)
_NOT_CODE: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", re.DOTALL
)


def has_concurrent(text: str) -> bool:
    """Whether a statement of the text cannot run in a transaction, as far as words tell."""
    return _CONCURRENT.search(_NOT_CODE.sub(" ", text)) is not None
