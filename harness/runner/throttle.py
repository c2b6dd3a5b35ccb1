"""Hold batches back while the server has more important things to do."""

from __future__ import annotations

import time
from typing import Any, Protocol

from psycopg import sql

from harness.core.errors import Stopped
from harness.plan import RunnerSettings
from harness.runner.backoff import pause
from harness.runner.session import RunnerSession

INTERVAL = 0.5


class Answerer(Protocol):
    """Who answers a throttle's query: a connection, or the runner's session."""

    def execute(self, query: bytes) -> Any:
        """The answer, a cursor."""
        ...


class Throttle(Protocol):
    """Something that may ask for a pause between two batches."""

    def reason(self, conn: Answerer) -> str | None:
        """Why to wait, or None to go on."""
        ...


class ReplicationLag:
    """Standbys that have replayed too little of the WAL."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def reason(self, conn: Answerer) -> str | None:
        """Say so while the slowest standby is further behind than the limit."""
        lag = _number(
            conn,
            "SELECT coalesce(max(pg_catalog.pg_wal_lsn_diff("
            "pg_catalog.pg_current_wal_lsn(), replay_lsn)), 0)::bigint"
            " FROM pg_catalog.pg_stat_replication",
        )
        return f"a standby is {lag:,} bytes behind" if lag > self._limit else None


class ActiveSessions:
    """Other sessions of this database that are executing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def reason(self, conn: Answerer) -> str | None:
        """Say so while more sessions are active than the limit."""
        count = _number(
            conn,
            "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active'"
            " AND datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()",
        )
        return f"{count} other sessions are active" if count > self._limit else None


class WalRate:
    """WAL written per second, by everybody, since the last look."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last: tuple[float, int] | None = None

    def reason(self, conn: Answerer) -> str | None:
        """Say so while more WAL a second is written than the limit."""
        written = _number(
            conn,
            "SELECT pg_catalog.pg_wal_lsn_diff("
            "pg_catalog.pg_current_wal_insert_lsn(), '0/0')::bigint",
        )
        now = time.monotonic()
        before, self._last = self._last, (now, written)
        if before is None or now <= before[0]:
            return None
        rate = (written - before[1]) / (now - before[0])
        return f"{rate:,.0f} bytes of WAL are written a second" if rate > self._limit else None


def _number(conn: Answerer, query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def throttles(settings: RunnerSettings) -> tuple[Throttle, ...]:
    """The throttles that the plan asks for; a limit of 0 asks for none."""
    found: list[Throttle] = []
    if settings.max_replication_lag_bytes:
        found.append(ReplicationLag(settings.max_replication_lag_bytes))
    if settings.max_active_sessions:
        found.append(ActiveSessions(settings.max_active_sessions))
    if settings.max_wal_bytes_per_second:
        found.append(WalRate(settings.max_wal_bytes_per_second))
    return tuple(found)


def _ask(session: RunnerSession, throttle: Throttle) -> str | None:
    return throttle.reason(_Between(session))


class _Between:
    """The runner's session between two batches, when nothing of a script is left in it."""

    def __init__(self, session: RunnerSession) -> None:
        self._session = session

    def execute(self, query: bytes) -> Any:
        """The answer to one of our own queries."""
        return self._session.ask(sql.SQL(query.decode()))  # type: ignore[arg-type]


def hold_back(session: RunnerSession, step: str, active: tuple[Throttle, ...]) -> None:
    """Wait while a throttle asks for it; Stopped when it asks for longer than the limit."""
    deadline = time.monotonic() + session.settings.throttle_limit
    for throttle in active:
        while reason := _ask(session, throttle):
            session.check_stop(step)
            if time.monotonic() > deadline:
                raise Stopped(
                    f"held back for {session.settings.throttle_limit:g} s: {reason}",
                    where=step,
                    hint="run the same again when the server has room",
                )
            session.context.tell("throttled", step, message=reason)
            pause(INTERVAL, session.context.stop)
