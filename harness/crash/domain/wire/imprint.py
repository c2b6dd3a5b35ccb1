"""Whether a database still holds exactly the row versions it held: cheaper than any fingerprint.

Where no transaction committed, every visible row is the same version in the same place: same ctid,
same xmin, in the catalogs as in the tables. So equal imprints of one database prove that its
logical state did not change; different ones prove nothing, and a fingerprint must tell. Left out
are what ANALYZE writes, and the ledger's rows about who runs: a position has what those say.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from harness.database.ledger_names import spelled

RELATIONS = spelled("""
select c.oid::regclass::text, c.relkind = 'S'
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm', 'S') and not c.relisshared and n.nspname not like 'pg_t%'
  and n.nspname <> 'information_schema' and n.nspname <> 'pg_toast'
  and not (n.nspname = 'pg_catalog' and c.relname in ('pg_statistic', 'pg_statistic_ext_data'))
  and not (n.nspname = {ledger_schema_name} and c.relname in ('run', 'event', 'event_id_seq'))
order by 1
""")


class Imprint:
    """The row versions of a database as they are when it is made. One connection, kept open."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        parts: list[sql.Composed] = []
        for name, is_sequence in conn.execute(RELATIONS).fetchall():
            number = sql.Literal(len(parts))
            row = "last_value, is_called" if is_sequence else "ctid, xmin"
            parts.append(
                sql.SQL(
                    "select {}, count(*), sum(pg_catalog.hash_record_extended(row({}), 0)) from {}"
                ).format(number, sql.SQL(row), sql.SQL(name))
            )
        self._query = sql.SQL(" union all ").join(parts)
        self._taken = self._take()

    def unchanged(self) -> bool:
        """Whether every row is the same version still; False too when a relation is gone."""
        try:
            return self._take() == self._taken
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False

    def _take(self) -> list[tuple[Any, ...]]:
        # prepared: planning so many branches takes longer than running them
        return self._conn.execute(self._query, prepare=True).fetchall()
