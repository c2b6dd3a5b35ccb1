"""The rows of a table column by column, whatever order the columns stand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from psycopg import sql

from harness.database import admin

_COLUMNS: Final = """
SELECT a.attname FROM pg_catalog.pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1
"""
_SUM: Final = "sum(pg_catalog.hashtextextended({}, 0)::numeric)::text"


def column_digests(dsn: str, table: str) -> Mapping[str, str]:
    """An order-free sum over the table's rows for each column, and `*` for its whole rows.

    Each value is hashed with the row's other values only in `*`, which takes columns by name. The
    table is named as the fingerprint names it, quoted where it has to be; one that is not there has
    no columns.
    """
    with admin.connection(dsn) as conn:
        there: Any = conn.execute("select to_regclass(%s) is not null", [table]).fetchone()
        if not there[0]:
            return {}
        columns = [row[0] for row in conn.execute(_COLUMNS, [table]).fetchall()]
        texts = [
            sql.SQL("coalesce({}::text, E'\\x02')").format(sql.Identifier(one)) for one in columns
        ]
        whole = sql.SQL(" || E'\\x01' || ").join(texts) if texts else sql.SQL("''")
        sums = sql.SQL(", ").join(sql.SQL(_SUM).format(text) for text in [whole, *texts])
        query = sql.SQL("select {} from {}").format(sums, sql.SQL(table))
        found: Any = conn.execute(query).fetchone()
    return dict(zip(["*", *columns], found, strict=True))


def differing_columns(before: Mapping[str, str], after: Mapping[str, str]) -> frozenset[str]:
    """The columns whose values differ, those that one side lacks among them."""
    names = (before.keys() | after.keys()) - {"*"}
    return frozenset(name for name in names if before.get(name) != after.get(name))
