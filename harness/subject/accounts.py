"""How far a database has come by a tool's own account: the rows of its version tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from psycopg import sql

from harness.subject.protocol import Connection, Position
from harness.subject.tools import version_tables

_FIND: Final = Path(__file__).with_suffix(".sql").read_text("utf-8")
_SHOWN: Final = 8


def position_by_tables(conn: Connection, bookkeeping: Iterable[str]) -> Position:
    """The rows of the version tables that a database has; an empty one is as good as none.

    Those of known tools are found in whatever schema they are. Of other tables, which `bookkeeping`
    names as schema.table, every column counts that holds no time and is filled by no sequence.
    """
    known = {table.name: table.columns for table in version_tables()}
    named = sorted(set(bookkeeping))
    found = conn.execute(_FIND, {"known": list(known), "named": named}).fetchall()
    accounts = []
    for schema, table, by_name, columns in found:
        there = columns or []
        telling = there if by_name else [one for one in there if one in known[table]]
        rows = _rows(conn, schema, table, telling) if telling else ()
        if rows:
            accounts.append((f"{schema}.{table}", rows))
    return Position(tuple(accounts), _words(accounts))


def _rows(conn: Connection, schema: str, table: str, columns: list[str]) -> tuple[Any, ...]:
    listed = sql.SQL(", ").join(
        sql.SQL("{}::pg_catalog.text").format(sql.Identifier(one)) for one in columns
    )
    query = sql.SQL("SELECT {} FROM {}").format(listed, sql.Identifier(schema, table))
    rows = (tuple(row) for row in conn.execute(query).fetchall())
    return tuple(sorted(rows, key=repr))  # in an order of no collation


def _words(accounts: list[tuple[str, tuple[Any, ...]]]) -> str:
    said = [f"{table} has {_listed(rows)}" for table, rows in accounts]
    return "; ".join(said) or "no version table has a row"


def _listed(rows: tuple[Any, ...]) -> str:
    texts = [" ".join(str(value) for value in row if value is not None) for row in rows]
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[-_SHOWN:]) + more
