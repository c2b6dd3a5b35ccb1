"""How the ledger is spelled: its schema, its tables, and statements that name them.

`harness.runner.ledger` makes and writes it. Whoever looks at it or tampers with it from outside
takes the names from here, and what it holds from `ledger_view`.
"""

from __future__ import annotations

from typing import Final

from psycopg import sql

SCHEMA: Final = "migration_control"
ARCHIVE: Final = "migration_archive"
"""Where a rollback keeps what the old schema cannot hold."""

TABLES: Final = (
    "run",
    "step",
    "batch_range",
    "plan_file",
    "ledger",
    "event",
    "control",
    "archived",
)


def qualified(table: str) -> str:
    """A name in the ledger's schema, as people and regclass read it."""
    return f"{SCHEMA}.{table}"


def identifier(table: str) -> sql.Identifier:
    """A name in the ledger's schema, as SQL."""
    return sql.Identifier(SCHEMA, table)


_NAMES: Final[dict[str, sql.Composable]] = {
    "ledger_schema": sql.Identifier(SCHEMA),
    "ledger_schema_name": sql.Literal(SCHEMA),
    "archive_schema_name": sql.Literal(ARCHIVE),
    **{table: identifier(table) for table in TABLES},
    **{f"{table}_name": sql.Literal(qualified(table)) for table in TABLES},
}


def spelled(statements: str) -> sql.Composed:
    """Statements with the ledger's names put in: {run} as SQL, {run_name} as a quoted text.

    The schemas are {ledger_schema}, {ledger_schema_name} and {archive_schema_name}.
    """
    return sql.SQL(statements).format(**_NAMES)
