"""A column whose values an expression of the project file gives, computed by the server."""

from __future__ import annotations

import psycopg

from harness.core.errors import UsageError
from harness.database.catalog import Connection
from harness.rows.copytext import join_fields
from harness.rows.overrides import ColumnOverride
from harness.rows.unit import Dealt, Unit


def computed_unit(
    conn: Connection, name: str, said: ColumnOverride, numbers: range, seed: int
) -> Unit:
    """The unit of the column, a value for each number; UsageError where the server refuses it."""
    expression = str(said.sql).replace("%", "%%")
    series = "pg_catalog.generate_series(%s::int, %s::int) AS n"
    query = f"SELECT ({expression})::text FROM {series} ORDER BY n"
    try:
        with conn.transaction():
            conn.execute("SELECT pg_catalog.setseed(%s)", (seed % 1000 / 1000,))
            rows = conn.execute(query.encode(), (numbers.start, numbers.stop - 1)).fetchall()
    except psycopg.Error as error:
        raise UsageError(
            f"the server refuses the expression of {name}: {first_line(error)}",
            where=said.where,
            hint="n in it is the row's number",
        ) from None
    return Dealt((name,), [join_fields(row) for row in rows])


def first_line(error: psycopg.Error) -> str:
    """The server's first sentence."""
    return str(error.diag.message_primary or str(error).strip().partition("\n")[0])
