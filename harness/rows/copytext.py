"""Text as a field of COPY."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NULL: Final = "\\N"


def escape_field(text: str | None) -> str:
    """A value's text as COPY takes it; None is NULL."""
    if text is None:
        return NULL
    if text.isalnum():  # most are: nothing to look for
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def join_fields(values: Iterable[str | None]) -> str:
    """Adjoining fields of a row."""
    return "\t".join(map(escape_field, values))
