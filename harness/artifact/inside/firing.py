"""One write to a table, taken back: which rows it made the table's triggers write elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.artifact.inside.model import USERS, Connection
from harness.artifact.inside.trial import taken_back
from harness.artifact.schema import RelationName
from harness.database.catalog import OUR_SCHEMAS

Row = Mapping[str, Any]
TRIES: Final = 8
_COLUMNS: Final = """
select a.attname::text, a.atttypid::regtype::text,
       a.attnum = any (coalesce((select i.indkey::int2[] from pg_catalog.pg_index i
                                 where i.indrelid = a.attrelid and i.indisprimary), '{}')),
       exists (select from pg_catalog.pg_constraint k
               where k.conrelid = a.attrelid and k.contype in ('f', 'c', 'u', 'x')
                 and a.attnum = any (k.conkey)),
       a.attgenerated <> ''
from pg_catalog.pg_attribute a
where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""
_OTHERS: Final = f"""
select n.nspname::text, c.relname::text from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where {USERS} and c.relkind = 'r' and pg_catalog.pg_relation_size(c.oid) > 0
order by 1, 2
"""  # noqa: S608 - constants
_CHANGED: Final = {
    "text": "{} || ' (changed)'", "character varying": "{} || '.'", "bigint": "{} + 1",
    "integer": "{} + 1", "numeric": "{} + 1", "boolean": "not {}",
    "timestamp with time zone": "{} + interval '1 day'", "date": "{} + 1",
}  # fmt: skip
"""How a value of a type is changed, so that the write is one."""


@dataclass(frozen=True)
class Firing:
    """A write that fired triggers: as a statement, and the rows of other tables that it made.

    `sent` has them by table. The same statement can be run on another database.
    """

    statement: str
    sent: Mapping[str, tuple[Row, ...]]


def fire(
    conn: Connection, relation: RelationName, event: str, again: Firing | None, timeout: float
) -> Firing | None:
    """Write one row of a relation, or what `again` wrote, and take it back.

    None where no row can be written: the table is empty, or every write is refused.
    """
    if again is not None:
        return _fired(conn, relation, again.statement, timeout)
    for statement in _writes(conn, relation, event):
        found = _fired(conn, relation, statement, timeout)
        if found is not None:
            return found
    return None


def _fired(
    conn: Connection, relation: RelationName, statement: str, timeout: float
) -> Firing | None:
    try:
        with taken_back(conn, timeout):
            if conn.execute(statement.encode()).rowcount != 1:
                return None
            conn.execute("set constraints all immediate")
            return Firing(statement, dict(_written(conn, relation)))
    except psycopg.Error:
        return None


def _written(conn: Connection, relation: RelationName) -> Iterator[tuple[str, tuple[Row, ...]]]:
    """The rows of other tables that this transaction made."""
    others = conn.execute(_OTHERS.encode(), {"ours": list(OUR_SCHEMAS)}).fetchall()
    query = (
        "select to_jsonb(t) from {} t"
        " where t.xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid order by t.ctid limit 20"
    )
    for schema, name in others:
        if (schema, name) == relation:
            continue
        rows = conn.execute(sql.SQL(query).format(sql.Identifier(schema, name))).fetchall()
        if rows:
            yield f"{schema}.{name}", tuple(row for (row,) in rows)


def _writes(conn: Connection, relation: RelationName, event: str) -> Iterator[str]:
    """Statements that write one row each, the likeliest first."""
    table = sql.Identifier(*relation)
    named = table.as_string(conn)
    columns = conn.execute(_COLUMNS.encode(), [named]).fetchall()
    key = [name for name, _, is_key, _, _ in columns if is_key]
    if not key:
        return
    rows = conn.execute(
        sql.SQL("select {} from {} order by {} limit {}").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(k)) for k in key), table,
            sql.SQL(", ").join(map(sql.Identifier, key)), TRIES,
        )
    ).fetchall()  # fmt: skip
    for row in rows:
        where = sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in zip(key, row, strict=True)
        )
        for statement in _of_row(event, table, columns, where):
            yield statement.as_string(conn)


def _of_row(
    event: str, table: sql.Identifier, columns: list[Any], where: sql.Composable
) -> Iterator[sql.Composable]:
    if event == "DELETE":
        yield sql.SQL("delete from {} where {}").format(table, where)
    elif event == "INSERT":
        names = [name for name, _, is_key, _, made in columns if not (is_key or made)]
        listed = sql.SQL(", ").join(map(sql.Identifier, names))
        yield sql.SQL("insert into {0} ({1}) select {1} from {0} where {2}").format(
            table, listed, where
        )
    else:
        for name, kind, is_key, bound, made in columns:
            if kind in _CHANGED and not (is_key or bound or made):
                column = sql.Identifier(name)
                value = sql.SQL(_CHANGED[kind]).format(column)
                yield sql.SQL("update {} set {} = {} where {} and {} is not null").format(
                    table, column, value, where, column
                )
