"""WAL of one database: what others write on the same server meanwhile is not counted.

Read from the log itself where the server lets us (pg_walinspect), by the database that each record
touches; else the server's own count, in which everybody's writes are.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

import psycopg

LIMIT: Final = 64 * 1024 * 1024
"""More than so many bytes are not read again one record at a time: it would take too long."""
_OWN: Final = """
SELECT coalesce(sum(record_length), 0)::bigint
FROM harness_dry_run.pg_get_wal_records_info(
  '0/0'::pg_lsn + %s::numeric, '0/0'::pg_lsn + %s::numeric) AS r
WHERE NOT EXISTS (SELECT FROM harness_dry_run.look AS k
  WHERE r.start_lsn >= k.wal_began AND r.start_lsn < k.wal_ended)
AND block_ref ~ ('rel [0-9]+/' || (
  SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) || '/')
"""


def install(conn: psycopg.Connection[Any]) -> None:
    """Put what reads the log into the scratch database, if the role may and the server has it."""
    with contextlib.suppress(psycopg.Error):
        conn.execute("CREATE EXTENSION pg_walinspect SCHEMA harness_dry_run")


def own(conn: psycopg.Connection[Any], begin: int, end: int) -> int | None:
    """Bytes that were written for the connected database between two places, looks' own left out.

    None where they cannot be told from others'.
    """
    if not 0 < end - begin <= LIMIT:
        return 0 if end <= begin else None
    try:
        _flush(conn)
        row: Any = conn.execute(_OWN.encode(), [begin, end]).fetchone()
    except psycopg.Error:
        return None
    return int(row[0])


def _flush(conn: psycopg.Connection[Any]) -> None:
    """Have the log on disk up to here: only that part of it can be read again."""
    with conn.transaction():
        conn.execute("SET LOCAL synchronous_commit = local")
        conn.execute("SELECT pg_catalog.pg_logical_emit_message(true, 'harness', '')")
