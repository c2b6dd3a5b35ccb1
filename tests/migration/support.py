"""What the checks and suites of the CRM share: its roles, keys and sequences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from harness.suite.support import (
    FEW,
    SMALL,
    Check,
    CloneFactory,
    Conn,
    Pair,
    Row,
    TemplateFactory,
    column,
    connected,
    keyed,
    paired,
    records,
    row_differences,
    scalar,
    set_differences,
    shortened,
)

__all__ = [
    "FEW",
    "HOSTILE",
    "SMALL",
    "Check",
    "CloneFactory",
    "Conn",
    "Pair",
    "Row",
    "TemplateFactory",
    "acting_as",
    "column",
    "connected",
    "keyed",
    "paired",
    "records",
    "row_differences",
    "scalar",
    "set_differences",
    "shortened",
    "table_text",
    "taken_back",
]

SEQUENCES = """
select oid::regclass::text from pg_catalog.pg_class
where relkind = 'S' and relnamespace = 'public'::regnamespace
"""
HOSTILE = 2000  # hostile rows: enough for every kind of them


@contextmanager
def acting_as(conn: Conn, role: str) -> Iterator[Conn]:
    """Act as `role` the way the API does, and come back; what is written stays."""
    claims = '{"role": "%s", "sub": "00000000-0000-0000-0000-000000000001"}' % role  # noqa: UP031
    conn.execute("SELECT set_config('request.jwt.claims', %s, false)", [claims])
    conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    try:
        yield conn
    finally:
        if conn.info.transaction_status != TransactionStatus.INERROR:  # else the rollback resets it
            conn.execute("RESET ROLE")


@contextmanager
def taken_back(*conns: Conn) -> Iterator[Conn]:
    """Whatever is written inside is undone; sequences begin at one place in all databases."""
    with ExitStack() as stack:
        for conn in conns:
            stack.enter_context(conn.transaction(force_rollback=True))
            for name in column(conn, SEQUENCES):
                conn.execute("select setval(%s::regclass, 800000)", [name])
        yield conns[-1]


def table_text(conn: Conn, relation: str, columns: list[str], key: str = "id") -> dict[Any, Row]:
    """Rows by key, every value as the text the server writes: exact, whatever its type."""
    fields = sql.SQL(", ").join(
        sql.SQL("{0}::text as {0}").format(sql.Identifier(name)) for name in columns
    )
    query = sql.SQL("select {} as the_key, {} from public.{}").format(
        sql.Identifier(key), fields, sql.Identifier(relation)
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return {row.pop("the_key"): row for row in cursor.execute(query)}
