"""Limits: a write that the old schema takes, however long or odd its value, the new one takes."""

from __future__ import annotations

import psycopg
from psycopg import sql

from ..support import Conn, Pair
from . import specification

COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relname = any (%s) and a.attnum > 0
    and not a.attisdropped and a.attgenerated = '' and a.attname not in ('id', 'gender', 'type')
    and format_type(a.atttypid, a.atttypmod) in (
        'text', 'bigint', 'numeric', 'date', 'timestamp with time zone', 'boolean')
    and not exists (
        select from pg_catalog.pg_constraint k
        where k.conrelid = c.oid and a.attnum = any (k.conkey) and k.contype = 'f')
order by 1, 2
"""
VALUES: dict[str, tuple[object, ...]] = {
    "text": ("", " ", "x" * 9_000, "lorem " * 30_000, "e\u0301\u200b\t\n'\"\\%"),
    "bigint": (0, -1, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808),
    "numeric": (0, "-0.000000000001", "NaN", "9" * 300),
    "date": ("infinity", "-infinity", "0001-01-01 BC", "5874897-12-31"),
    "timestamp with time zone": (
        "infinity",
        "-infinity",
        "4713-01-01 BC",
        "1970-01-01 00:00:00.000001+14",
        "2024-10-27 02:30 Europe/Berlin",
    ),
    "boolean": (True, False),
}
# more words than a search text may have: Postgres refuses one of over a million bytes
WORDS = " ".join(f"w{number}" for number in range(200_000))
OLD = ("companies", "contacts", "contactNotes", "deals", "dealNotes", "tasks", "tags")


def check_old_clients_may_write_what_they_could(pair: Pair) -> list[str]:
    """For every column: the same value is taken, or refused with the same SQLSTATE."""
    found = []
    for table, column, kind in pair.source.execute(COLUMNS.encode(), [list(OLD)]).fetchall():
        for value in VALUES[kind]:
            was, now = (_written(conn, table, column, kind, value) for conn in _both(pair))
            if was != now and was == "taken":
                found.append(
                    f"{table}.{column} = {str(value)[:20]!r} ({len(str(value))} characters)"
                    f" was {was} and is {now}"
                )
    return found


def check_old_clients_may_add_what_they_could(pair: Pair) -> list[str]:
    """A row whose every text is long, empty or odd is taken, or refused with the same SQLSTATE."""
    found = []
    for table in OLD:
        named = pair.source.execute(COLUMNS.encode(), [[table]]).fetchall()
        texts = [column for _, column, kind in named if kind == "text" and column != "stage"]
        for value in (*VALUES["text"], WORDS):
            was, now = (_added(conn, table, texts, value) for conn in _both(pair))
            if was != now and was == "taken":
                found.append(
                    f"a row of {table} with texts of {len(str(value))} characters"
                    f" was {was} and is {now}"
                )
    return found


def _added(conn: Conn, table: str, texts: list[str], value: object) -> str:
    """What became of a copy of the first row with these texts; it is taken back."""
    copied = [name for name in specification.old_columns(table) if name != "id"]
    insert = sql.SQL("insert into public.{} (id, {}) select 987654321, {} from public.{} {}")
    composed = insert.format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, copied)),
        sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Literal(value))
            if name in texts
            else sql.Identifier(name)
            for name in copied
        ),
        sql.Identifier(table),
        sql.SQL("order by id limit 1"),
    )
    return _tried(conn, composed)


def _both(pair: Pair) -> tuple[Conn, Conn]:
    return pair.source, pair.target


def _written(conn: Conn, table: str, column: str, kind: str, value: object) -> str:
    """What became of the write; it is taken back."""
    update = sql.SQL(
        "update public.{table} set {column} = %s::{kind}"
        " where id = (select min(id) from public.{table})"
    ).format(table=sql.Identifier(table), column=sql.Identifier(column), kind=sql.SQL(kind))
    return _tried(conn, update, value)


def _tried(conn: Conn, statement: sql.Composed, *values: object) -> str:
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(statement, values)
            conn.execute("set constraints all immediate")
    except psycopg.Error as error:
        return f"refused with {error.sqlstate}: {str(error).splitlines()[0]}"
    return "taken"
