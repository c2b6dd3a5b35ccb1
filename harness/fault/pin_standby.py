"""A standby that never answers, for one transaction alone: its commit is made, and nobody hears."""

from __future__ import annotations

from typing import Any

import psycopg

from harness.core.poll import wait_until
from harness.database import admin
from harness.fault.pins import LIMIT, PAUSE

NOBODY = "harness_nobody"


def unacknowledged(server_dsn: str) -> None:
    """Prepare a server for `after` pins: a transaction that asks for a standby's answer gets none.

    Nobody else asks: a commit is durable here before it is acknowledged, as it is without standbys.
    Returns when a transaction that asks was seen to wait.
    """
    with admin.connection(server_dsn) as conn:
        conn.execute("ALTER SYSTEM SET synchronous_commit = 'local'")
        conn.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NOBODY}'".encode())
        conn.execute("SELECT pg_catalog.pg_reload_conf()")
    await_unacknowledged(server_dsn)


def await_unacknowledged(server_dsn: str) -> None:
    """Return when the server, started a moment ago, makes who asks for a standby wait."""
    with admin.connection(server_dsn) as conn:
        wait_until(lambda: _asks_in_vain(server_dsn, conn), LIMIT, "the server to await a standby")


def _asks_in_vain(server_dsn: str, watcher: psycopg.Connection[Any]) -> bool:
    """Whether a commit that asks for a standby's answer waits; the waiting one is terminated."""
    with admin.connection(server_dsn) as asking:
        ask = "SET synchronous_commit = on; SELECT pg_catalog.pg_logical_emit_message(true, '', '')"
        pgconn = asking.pgconn
        pgconn.send_query(ask.encode())

        def answered_or_waits() -> str | None:
            pgconn.consume_input()
            if not pgconn.is_busy():
                return "answered"
            row = watcher.execute(
                "SELECT 1 FROM pg_catalog.pg_stat_activity"
                " WHERE pid = %s AND wait_event = 'SyncRep'",
                [asking.info.backend_pid],
            ).fetchone()
            return "waits" if row else None

        outcome = wait_until(answered_or_waits, LIMIT, "a commit that asks", pause=PAUSE)
        watcher.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [asking.info.backend_pid])
        return outcome == "waits"
