"""One runner at a time: the advisory lock, who holds it, and backends that must end first.

The lock lives on a connection of its own, which does nothing long: when its process dies the lock
is free at once, while the backend that worked for it may go on for a while. That one is the orphan.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
from psycopg import sql

from harness.core.errors import AnotherRunnerError, Refused
from harness.core.poll import wait_until
from harness.plan import RunnerSettings
from harness.runner import sql_comments
from harness.runner.connection import Connection

END_LIMIT = 15.0
HIDDEN = "hidden"
KEY = int.from_bytes(b"migratio", "big")
AT_WORK = int.from_bytes(b"at work!", "big")
"""The key of a shared lock of every session that works for a runner, while it does."""
WORKERS = """
SELECT w.pid, a.backend_start FROM (
  SELECT %(pid)s AS pid, false AS at_work
  UNION
  SELECT l.pid, true FROM pg_catalog.pg_locks AS l
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.classid::bigint = %(high)s AND l.objid::bigint = %(low)s
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
) AS w CROSS JOIN LATERAL pg_catalog.pg_stat_get_activity(w.pid) AS a
WHERE a.pid = w.pid
  AND (w.at_work OR a.backend_start = %(start)s OR a.backend_start IS NULL)
"""
HOLDER = """
SELECT l.pid, a.backend_start,
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - a.state_change)
FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.classid::bigint = %s AND l.objid::bigint = %s
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class Backend:
    """A server process: its number alone would be reused, its start is not."""

    pid: int
    start: datetime | None


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, and for how many seconds it has shown no sign of life."""

    backend: Backend
    silent: float | None


def identify(conn: Connection) -> Backend:
    """The server process behind a connection."""
    row = conn.execute(
        "SELECT pid, backend_start"
        " FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())"  # not all of the view
    ).fetchone()
    assert row is not None
    return Backend(row[0], row[1])


def acquire(conn: Connection, settings: RunnerSettings, ours: set[Backend]) -> Backend | None:
    """Take the lock or raise AnotherRunnerError; give the backend it was taken from, if any.

    Waits a moment for the backend of a dead runner to notice. Taken over is the lock of a runner
    that has shown no sign of life for the lease, and one that this process itself lost (`ours`).
    """

    def attempt() -> Literal[True] | Holder | None:
        if _try(conn):
            return True
        holder = _holder(conn)
        return holder if holder and _may_take(holder, settings, ours) else None

    try:
        found = wait_until(attempt, settings.lock_wait, "the runner's lock", pause=0.02)
    except TimeoutError:
        raise _another(_holder(conn)) from None
    if not isinstance(found, Holder):
        return None
    end(conn, found.backend, 0.0)
    if not _try(conn):
        raise _another(_holder(conn))
    return found.backend


def _may_take(holder: Holder, settings: RunnerSettings, ours: set[Backend]) -> bool:
    if holder.backend in ours:
        return True
    stale = holder.silent is not None and holder.silent > settings.lease
    return stale and settings.heartbeat > 0


def _try(conn: Connection) -> bool:
    row = conn.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [KEY]).fetchone()
    return bool(row and row[0])


def _halves(key: int) -> list[int]:
    return [key >> 32, key & 0xFFFFFFFF]


def is_held(conn: Connection) -> bool:
    """Whether a runner is at work on the database."""
    return _holder(conn) is not None


def _holder(conn: Connection) -> Holder | None:
    row = conn.execute(HOLDER, _halves(KEY)).fetchone()
    return Holder(Backend(row[0], row[1]), row[2]) if row else None


def _another(holder: Holder | None) -> AnotherRunnerError:
    if holder is None:
        return AnotherRunnerError(
            "another runner is at work on this database", hint="see `harness status`"
        )
    backend = holder.backend
    since = backend.start.isoformat(timespec="seconds") if backend.start else "an unknown time"
    return AnotherRunnerError(
        f"another runner is at work on this database: server process {backend.pid}, since {since}",
        hint="wait for it, or watch it with `harness status`",
    )


def at_work_sql(*, until: str = "xact_") -> sql.Composed:
    """Take the shared lock of who works; to the end of the transaction, or of the session."""
    return sql.SQL("{} SELECT pg_catalog.pg_advisory_{}lock_shared({});").format(
        sql.SQL(sql_comments.AT_WORK),
        sql.SQL(until),
        sql.Literal(AT_WORK),
    )


def at_work(conn: Connection, last: Backend) -> list[Backend]:
    """The sessions that work for a runner whatever became of it: `last` is the one it has named."""
    high, low = _halves(AT_WORK)
    rows = conn.execute(WORKERS, {"pid": last.pid, "start": last.start, "high": high, "low": low})
    return list(dict.fromkeys(Backend(pid, start) for pid, start in rows.fetchall()))


def end(conn: Connection, backend: Backend, patience: float) -> bool:
    """Wait until a backend is gone, then terminate it; True when it was there.

    Only one that is executing is given `patience`: an idle one has nobody to talk to any more.
    """
    state = _state(conn, backend)
    if state is None:
        return False
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: _state(conn, backend) != "active", patience, "the orphan", pause=0.05)
    state = _state(conn, backend)
    if state is None:
        return True
    if state == HIDDEN:
        raise Refused(
            f"server process {backend.pid} may be the last run's, and is hidden from this role",
            hint="run as the same role as the last run, or be granted pg_read_all_stats",
        )
    try:
        conn.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [backend.pid])
        wait_until(lambda: _state(conn, backend) is None, END_LIMIT, "the orphan's end", pause=0.02)
    except psycopg.errors.InsufficientPrivilege:
        raise Refused(
            f"server process {backend.pid} of the last run is alive, and may not be ended by us",
            hint="run as the same role as the last run, or be granted pg_signal_backend",
        ) from None
    except TimeoutError:
        raise AnotherRunnerError(
            f"server process {backend.pid} of the last run does not end",
            hint="it may wait for a synchronous standby; see pg_stat_activity",
        ) from None
    return True


def _state(conn: Connection, backend: Backend) -> str | None:
    """The state of a backend, None when it is gone; others' sessions may hide theirs."""
    row = conn.execute(
        "SELECT coalesce(state, 'hidden') FROM pg_catalog.pg_stat_get_activity(%s) WHERE pid = %s"
        " AND (backend_start = %s OR backend_start IS NULL)",
        [backend.pid, backend.pid, backend.start],
    ).fetchone()
    return str(row[0]) if row else None
