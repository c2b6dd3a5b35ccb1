"""A relation on trial: how to name it, rows of it to try on, and a row where there is none."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from harness.check.security.policy import SecurityPolicy

Connection = psycopg.Connection[Any]
TRIED: Final = 3
"""Rows of a relation that an update or a delete is tried on."""
QUIET: Final = "set local session_replication_role = replica"
"""Without triggers and foreign keys, an attempt has no effect but its own."""
COLUMNS = """
select a.attname as name, pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
    a.attidentity = 'a' as fixed,
    exists (select from pg_catalog.pg_index i where i.indrelid = a.attrelid and i.indisprimary
        and i.indkey[0] = a.attnum) as is_key
from pg_catalog.pg_attribute a
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by a.attnum
"""


@dataclass(frozen=True)
class WritableColumn:
    """A column that can be written."""

    name: str
    type: str
    fixed: bool
    is_key: bool

    @property
    def identifier(self) -> sql.Identifier:
        """Its name, quoted."""
        return sql.Identifier(self.name)


@dataclass(frozen=True)
class TrialRelation:
    """A relation on trial: how to name it, and rows of it to try on."""

    name: str
    columns: tuple[WritableColumn, ...]
    key: WritableColumn
    keys: list[Any]
    copy: list[str | None] | None
    total: int
    outside: frozenset[str]
    """Roles that may not use the schema."""

    @property
    def relation(self) -> sql.SQL:
        """Its name, to be put into a statement."""
        return sql.SQL(self.name)  # as the catalog quotes it


def specimen(conn: Connection, policy: SecurityPolicy, row: dict[str, Any]) -> TrialRelation | None:
    """The relation of a catalog row, with rows to try on; None when it has no column."""
    columns = tuple(WritableColumn(**found) for found in rows(conn, COLUMNS, [row["oid"]]))
    if not columns:
        return None
    name = sql.SQL(row["name"])
    by_name = {column.name: column for column in columns}
    key = next((c for c in columns if c.is_key), None) or by_name.get("id") or columns[0]
    total = count(conn, name)
    if total == 0 and _plant(conn, policy, row):
        total = count(conn, name)
    copies = _copies(conn, name, columns, key)
    keys = [values.pop(0) for values in copies]
    return TrialRelation(
        row["name"],
        columns,
        key,
        keys,
        copies[0] if copies else None,
        total,
        frozenset(row["outside"]),
    )


def _plant(conn: Connection, policy: SecurityPolicy, row: dict[str, Any]) -> bool:
    """A row for a table without any; for a view a row in every table that has none."""
    if row["kind"] not in ("v", "m"):
        statement = policy.specimens.get(row["name"])
        return statement is not None and attempted(conn, statement)
    if not attempted(conn, QUIET):
        return False
    for name, statement in policy.specimens.items():
        with suppress(psycopg.Error), conn.transaction():  # a relation of before, or of after
            if count(conn, sql.SQL(name)) == 0:
                conn.execute(statement.encode())
    conn.execute("set local session_replication_role = origin")
    return True


def attempted(conn: Connection, statement: str) -> bool:
    """Whether a statement went through; where it did not, nothing is lost."""
    try:
        with conn.transaction():
            conn.execute(statement.encode())
    except psycopg.Error:
        return False
    return True


def count(conn: Connection, name: sql.SQL) -> int:
    """How many rows whoever is connected reads."""
    row = conn.execute(sql.SQL("select count(*) from {}").format(name)).fetchone()
    assert row is not None
    return int(row[0])


def _copies(
    conn: Connection, name: sql.SQL, columns: tuple[WritableColumn, ...], key: WritableColumn
) -> list[list[Any]]:
    """The first few rows: the key, then every column as text."""
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(c.identifier) for c in columns)
    ordered = key.is_key or key.name == "id"
    order = sql.SQL("order by 1" if ordered else "")
    query = sql.SQL("select {}, {} from {} {} limit {}").format(
        key.identifier, texts, name, order, sql.Literal(TRIED)
    )
    return [list(row) for row in conn.execute(query)]


def rows(conn: Connection, query: str, params: Any = None) -> list[dict[str, Any]]:
    """Every row of a query, by column name."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), params).fetchall()
