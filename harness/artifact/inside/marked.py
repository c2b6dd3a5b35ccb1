"""Columns of which a comment says what their texts are: `harness: sql` or `harness: requests`."""

from __future__ import annotations

from dataclasses import dataclass

from harness.artifact.inside.model import Connection


@dataclass(frozen=True)
class MarkedColumn:
    """A column whose texts name the schema; `label` is the one by which a row is told."""

    schema: str
    relation: str
    name: str
    label: str = ""


def marked_columns(conn: Connection, what: str) -> list[MarkedColumn]:
    """The columns that bear the comment."""
    found = conn.execute(
        "select n.nspname::text, c.relname::text, a.attname::text"
        " from pg_catalog.pg_description d"
        " join pg_catalog.pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid"
        " join pg_catalog.pg_class c on c.oid = a.attrelid"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where d.classoid = 'pg_catalog.pg_class'::regclass and d.objsubid > 0"
        " and c.relkind in ('r', 'p', 'v', 'm') and btrim(d.description) = 'harness: ' || %s"
        " order by 1, 2, 3",
        [what],
    ).fetchall()
    return [MarkedColumn(*row) for row in found]
