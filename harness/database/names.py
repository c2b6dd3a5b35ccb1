"""Names as SQL writes them, taken apart."""

from __future__ import annotations

import re
from typing import Final

PART: Final = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


def split_name(written: str) -> tuple[str, ...]:
    """The parts of a dotted name, without their quotes: "Odd.Schema".t is Odd.Schema and t."""
    return tuple(
        quoted.replace('""', '"') if quoted else plain for quoted, plain in PART.findall(written)
    )


def schema_of(written: str) -> str:
    """The schema of a qualified name, without quotes."""
    return split_name(written)[0]
