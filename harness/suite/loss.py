"""Rows and values that a step loses: what tables held before it, and what they hold after it.

A table is known again by its oid and a column by its number, so a rename loses nothing; a table
that was built anew is known again by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from .support import Conn

TABLES = """
select c.oid::int8, n.nspname, c.relname,
  coalesce((
    select array_agg(a.attname order by a.attnum) from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
    where i.indrelid = c.oid and i.indisprimary
  ), '{}') as key
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
  and n.nspname not in ('pg_catalog', 'information_schema')
  and not n.nspname like 'migration\\_%'
  and not exists (
    select from pg_catalog.pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by 2, 3
"""
COLUMNS = """
select attnum, attname from pg_catalog.pg_attribute
where attrelid = %s and attnum > 0 and not attisdropped and attgenerated = '' order by attnum
"""


@dataclass(frozen=True)
class TableContents:
    """What a table holds: rows, the text of each primary key, values other than null by column."""

    oid: int
    name: str
    rows: int
    keys: frozenset[Any]
    columns: dict[int, tuple[str, int]]

    @property
    def by_name(self) -> dict[str, int]:
        """Values by the name of their column."""
        return dict(self.columns.values())


def held(conn: Conn) -> tuple[TableContents, ...]:
    """What every table of the database holds, those of the harness and of extensions aside."""
    return tuple(_table(conn, *row) for row in conn.execute(TABLES).fetchall())


def losses(before: tuple[TableContents, ...], after: tuple[TableContents, ...]) -> list[str]:
    """What was there and is no more, in words; empty when every row and value still is."""
    by_oid, by_name = {one.oid: one for one in after}, {one.name: one for one in after}
    found: list[str] = []
    for table in before:
        now = by_oid.get(table.oid) or by_name.get(table.name)
        if now is not None:
            found += _of_table(table, now)
        elif table.rows:
            found.append(f"table {table.name} is gone with its {table.rows} rows")
    return found


def unlisted(lost: list[str], listed: Iterable[str]) -> list[str]:
    """Of the losses those that a clean-up did not list."""
    names = {name.replace('"', "") for name in listed}
    return [line for line in lost if line.partition(" is gone")[0] not in names]


def empty(tables: tuple[TableContents, ...]) -> list[str]:
    """The tables without a row: nothing can be lost there, so nothing is proven there."""
    return [table.name for table in tables if not table.rows]


def _table(conn: Conn, oid: int, schema: str, name: str, key: list[str]) -> TableContents:
    columns = conn.execute(COLUMNS, [oid]).fetchall()
    relation = sql.Identifier(schema, name)
    counts = sql.SQL(", ").join(
        [sql.SQL("count(*)"), *(sql.SQL("count({})").format(sql.Identifier(c)) for _, c in columns)]
    )
    row = conn.execute(sql.SQL("select {} from {}").format(counts, relation)).fetchall()[0]
    keys: frozenset[Any] = frozenset()
    if key:
        fields = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in key)
        keys = frozenset(conn.execute(sql.SQL("select {} from {}").format(fields, relation)))
    told = {
        number: (column, count) for (number, column), count in zip(columns, row[1:], strict=True)
    }
    return TableContents(oid, f"{schema}.{name}", row[0], keys, told)


def _of_table(before: TableContents, now: TableContents) -> Iterator[str]:
    gone = len(before.keys - now.keys) if now.keys else 0
    fewer = max(before.rows - now.rows, 0)
    if max(gone, fewer):
        yield f"table {now.name} lost {max(gone, fewer)} of {before.rows} rows"
        return  # their values went with them
    for number, (name, values) in before.columns.items():
        if not values:
            continue
        left = _values(number, name, before, now)
        if left is None:
            yield f"column {now.name}.{name} is gone with its {values} values"
        elif left < values:
            yield f"column {now.name}.{name} lost {values - left} of {values} values"


def _values(number: int, name: str, before: TableContents, now: TableContents) -> int | None:
    """How many values a column holds now; None when it is gone."""
    if before.oid == now.oid:
        found = now.columns.get(number)
        return found[1] if found else None
    return now.by_name.get(name)
