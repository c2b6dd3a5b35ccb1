"""A mix made from the catalog, for a subject that gives none: by key, on every table with rows."""

# ruff: noqa: S608 - names are quoted by psycopg, values are parameters

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from harness.database.catalog import OUR_SCHEMAS
from harness.traffic.mix import TrafficMix, TrafficOperation

_TABLES: Final = Path(__file__).with_suffix(".sql").read_text("utf-8")


def has_usable_table(conn: psycopg.Connection[Any]) -> bool:
    """Whether a mix could be made, were there rows."""
    return bool(_usable(conn))


def mix_from_catalog(conn: psycopg.Connection[Any], role: str | None = None) -> TrafficMix:
    """Reads, updates and copies of rows by key; no operation where no table can be used."""
    operations: list[TrafficOperation] = []
    census: dict[str, str] = {}
    for row in _usable(conn):
        if _is_empty(conn, row):
            continue
        label = f"{row.schema}.{row.name}"
        census[label] = _spelled(conn, "SELECT {key}, {value} FROM {table}", row)
        operations += _operations(conn, label, row)
    return TrafficMix(tuple(operations), census, role=role, promised=False)


def _usable(conn: psycopg.Connection[Any]) -> list[Any]:
    """The tables that clients could use: key, value, and what a copy takes."""
    cursor = conn.cursor(row_factory=namedtuple_row)
    return cursor.execute(_TABLES, {"without": [*OUR_SCHEMAS, "information_schema"]}).fetchall()


def _is_empty(conn: psycopg.Connection[Any], row: Any) -> bool:
    query = sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(row.schema, row.name))
    return conn.execute(query).fetchone() is None


def _operations(conn: psycopg.Connection[Any], label: str, row: Any) -> list[TrafficOperation]:
    # not cast: what a client prepared knows the types of the columns
    back = "{key}, {value}"
    by_key = "{key} = %(key)s::{type}"
    found = [
        TrafficOperation(
            f"read {label}", "read", label,
            _spelled(conn, f"SELECT {back} FROM {{table}} WHERE {by_key}", row),
        ),
        TrafficOperation(
            f"update {label}", "update", label,
            _spelled(conn, f"UPDATE {{table}} SET {{value}} = %(value)s WHERE {by_key}"
                     f" RETURNING {back}", row),
        ),
    ]  # fmt: skip
    if row.copied:
        copy = (
            "INSERT INTO {table} ({others}{value}) SELECT {others}%(value)s FROM {table}"
            f" WHERE {by_key} RETURNING {back}"
        )
        spelled = _spelled(conn, copy, row)
        found.append(TrafficOperation(f"copy {label}", "insert", label, spelled))
    return found


def _spelled(conn: psycopg.Connection[Any], text: str, row: Any) -> str:
    """The statement with the names of the table; a percent sign in a name is not a parameter."""
    others = [sql.SQL("{}, ").format(sql.Identifier(name)) for name in row.others]
    names = {
        "table": sql.Identifier(row.schema, row.name),
        "key": sql.Identifier(row.key),
        "value": sql.Identifier(row.value),
        "others": sql.Composed(others),
    }
    doubled = {
        name: sql.SQL(part.as_string(conn).replace("%", "%%")) for name, part in names.items()
    }
    return sql.SQL(text).format(**doubled, type=sql.SQL(row.key_type)).as_string(conn)
