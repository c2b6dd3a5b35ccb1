"""Run a statement whose rows nobody wants: they are thrown away as they come, and never kept.

The message is the same as that of Connection.execute, and so is the number of round trips; only
what the client does with the answer differs. A script that selects a million rows costs no memory.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.errors import error_from_result

from harness.runner.connection import Connection

CHUNK = 1000  # rows that are held at once
CHANGES = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE")
PARTS = (pq.ExecStatus.SINGLE_TUPLE, pq.ExecStatus.TUPLES_CHUNK)
ENDS = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY)


def changed_rows(conn: Connection, query: bytes) -> int:
    """Send a query in one message; give how many rows its statements changed, and no row of it."""
    with conn.lock:
        changed, failed = conn.wait(_discard(conn.pgconn, query))
    if failed is None:
        return changed
    if failed.status == pq.ExecStatus.FATAL_ERROR:
        raise error_from_result(failed, encoding=conn.info.encoding)
    raise psycopg.ProgrammingError(f"unexpected answer: {pq.ExecStatus(failed.status).name}")


Outcome = tuple[int, pq.abc.PGresult | None]


def _discard(pgconn: pq.abc.PGconn, query: bytes) -> Generator[Any, Any, Outcome]:
    """How many rows were changed, and the first answer that is a failure."""
    pgconn.send_query(query)
    _take_few(pgconn)
    yield from generators.send(pgconn)
    changed, failed = 0, None
    while True:
        try:
            result = yield from generators.fetch(pgconn)
        except psycopg.DatabaseError:
            if failed is None:
                raise
            return changed, failed  # the error that ended the session says more than its end
        if result is None:
            return changed, failed
        if result.status in ENDS:
            command = result.command_status or b""
            changed += (result.command_tuples or 0) if command.startswith(CHANGES) else 0
        elif result.status not in PARTS:
            failed = failed or result
            if result.status != pq.ExecStatus.FATAL_ERROR:
                return changed, failed  # a COPY, which nobody answers


def _take_few(pgconn: pq.abc.PGconn) -> None:
    """Rows come in pieces; one by one where the client library is older than 17."""
    try:
        pgconn.set_chunked_rows_mode(CHUNK)
    except psycopg.NotSupportedError:
        pgconn.set_single_row_mode()
