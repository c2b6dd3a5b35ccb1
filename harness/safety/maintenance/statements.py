"""The SQL of this directory, and names of what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, LiteralString, TypeAlias

import psycopg

from harness.database.catalog import MAINTENANCE_SCHEMA

Connection: TypeAlias = psycopg.Connection[Any]
HERE: Final = Path(__file__).parent / "sql"
TRIGGER: Final = MAINTENANCE_SCHEMA
"""The trigger on every table bears the schema's name: so it is known in any catalog."""


def statement(name: str) -> LiteralString:
    """The text of a file of sql/; it is ours, not a user's."""
    return (HERE / f"{name}.sql").read_text("utf-8")
