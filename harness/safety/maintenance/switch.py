"""Turn maintenance mode on and off. Whatever fails on the way leaves the application writing."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import sql

from harness.core.errors import AnotherRunnerError, HarnessError, Refused, Stopped
from harness.core.poll import wait_until
from harness.database import admin
from harness.safety.maintenance import barrier, scope, writers
from harness.safety.maintenance.request import MaintenanceRequest, client_name
from harness.safety.maintenance.scope import GuardedTable
from harness.safety.maintenance.standing import (
    Lease,
    MaintenanceStatus,
    read_lease,
    spell_time,
    status_of,
)
from harness.safety.maintenance.statements import Connection

KEY: Final = int.from_bytes(b"maintena", "big")
"""The advisory lock of whoever turns maintenance on or off; nobody holds it in between."""
PATIENCE: Final = 10.0
SET_LEASE: Final = (
    "SELECT pg_catalog.setval('migration_maintenance.lease', (pg_catalog.date_part('epoch',"
    " pg_catalog.clock_timestamp()) * 1000)::bigint + %s::bigint)"
)
OPEN: Final = "SELECT pg_catalog.setval('migration_maintenance.lease', 1)"


@dataclass(frozen=True)
class Closure:
    """A maintenance that was turned on: its name, and the lease that it found."""

    id: str
    before: Lease | None
    status: MaintenanceStatus


@contextmanager
def switching(dsn: str, lock_timeout: float) -> Iterator[Connection]:
    """A session that alone turns maintenance on or off; AnotherRunnerError when it is not alone."""
    with admin.connection(dsn) as conn:
        admin.refuse_standby(conn)
        admin.writable(conn)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: _alone(conn), PATIENCE, "the other command", pause=0.1)
        if not _alone(conn):
            raise AnotherRunnerError(
                "another harness maintenance is at work on this database",
                hint="wait for it, then look with harness maintenance status",
            )
        milliseconds = max(1, round(lock_timeout * 1000))
        conn.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(f"{milliseconds}ms")))
        yield conn


def _alone(conn: Connection) -> bool:
    row = conn.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [KEY]).fetchone()
    return bool(row and row[0])


def turn_on(
    dsn: str, request: MaintenanceRequest, asked: float | None = None, *, held: bool = False
) -> Closure:
    """Make the application's roles read-only; the closure, once nobody writes who began before.

    `asked` is the length of the lease. With `held` it is a short one, and the caller renews it: see
    HeldLease. Raises Refused or Stopped, and leaves the database as it was.
    """
    seconds = request.lease(asked)
    with switching(dsn, request.lock_timeout) as conn:
        scope.refuse_roles(conn, request.roles)
        before = read_lease(conn)
        _refuse_held(before)
        tables = scope.refuse_tables(conn, request)
        name = secrets.token_hex(8)
        with _opening_on_failure(conn, before):
            _install(conn, request, name, held)
            _arm(conn, request, tables)
            conn.execute(SET_LEASE, [round((request.rules.lease if held else seconds) * 1000)])
            _wait_for_writers(conn, request, tables)
        return Closure(name, before, status_of(conn, request))


def _refuse_held(before: Lease | None) -> None:
    if before is not None and before.on and before.held:
        raise Refused(
            f"maintenance is on until {spell_time(before.until)}, and {before.client} renews it:"
            f" {before.reason}",
            hint="end it there, or with harness maintenance off",
        )


@contextmanager
def _opening_on_failure(conn: Connection, before: Lease | None) -> Iterator[None]:
    """Let the application write again when the block fails, unless maintenance was on already."""
    try:
        yield
    except BaseException:
        if before is None or not before.on:
            with contextlib.suppress(psycopg.Error, HarnessError):
                _open(conn, 0.0)
        raise


def _install(conn: Connection, request: MaintenanceRequest, name: str, held: bool) -> None:
    try:
        with conn.transaction():
            barrier.install(conn, request)
            conn.execute("DELETE FROM migration_maintenance.closure")
            conn.execute(
                "INSERT INTO migration_maintenance.closure (id, roles, reason, client, held)"
                " VALUES (%s, %s, %s, %s, %s)",
                [name, list(request.roles), request.reason, client_name(), held],
            )
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"this role may not turn maintenance on: {error.diag.message_primary}",
            hint="run as the owner of the database, or as the role that turned it on last",
        ) from error
    except psycopg.errors.LockNotAvailable as error:
        raise Stopped(
            "the schema of the maintenance mode is in use; nothing was changed",
            hint="run the same again",
        ) from error


def _arm(conn: Connection, request: MaintenanceRequest, tables: Sequence[GuardedTable]) -> None:
    """Put the trigger on every table that lacks it; in the end by ending who is in the way."""
    rules, bare = request.rules, [table for table in tables if not table.armed]
    left = barrier.each_in_turn(conn, bare, barrier.arm, rules.wait)
    if left and rules.action != "refuse":
        actors = writers.read_actors(conn, request.roles)
        found = [one for one in writers.read_writers(conn, left) if one.role in actors]
        writers.tell_to_end(conn, found, rules.action)
        left = barrier.each_in_turn(conn, left, barrier.arm, writers.GONE if found else 0.0)
    if left:
        raise barrier.still_locked(conn, left, "maintenance was not turned on")


def _wait_for_writers(
    conn: Connection, request: MaintenanceRequest, tables: Sequence[GuardedTable]
) -> None:
    actors = writers.read_actors(conn, request.roles)
    left = writers.end_writers(conn, tables, actors, request.rules)
    if left:
        raise Stopped(
            "a transaction from before writes on"
            f" ({barrier.described(left[0])}); maintenance was not turned on",
            hint="run the same again when it is over, or say another action in [maintenance]",
        )


def turn_off(dsn: str, request: MaintenanceRequest) -> MaintenanceStatus:
    """Let the application write at once, then take the barrier away.

    Raises Stopped when a table stays locked: it bears a trigger that refuses nothing.
    """
    with switching(dsn, request.lock_timeout) as conn:
        if read_lease(conn) is not None:
            _open(conn, request.rules.wait)
        return status_of(conn, request)


def restore_lease(conn: Connection, closure: Closure) -> bool:
    """Leave the lease that a held one found, when it still lasts; whether it did."""
    before = closure.before
    if before is None or not before.on:
        return False
    row = conn.execute("SELECT %s > pg_catalog.clock_timestamp()", [before.until]).fetchone()
    if not (row and row[0]):
        return False
    conn.execute("UPDATE migration_maintenance.closure SET held = false")
    conn.execute(
        "SELECT pg_catalog.setval('migration_maintenance.lease',"
        " (pg_catalog.date_part('epoch', %s::timestamptz) * 1000)::bigint)",
        [before.until],
    )
    return True


def _open(conn: Connection, wait: float) -> None:
    try:
        conn.execute(OPEN)
        conn.execute("DELETE FROM migration_maintenance.closure")
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"this role may not turn maintenance off: {error.diag.message_primary}",
            hint="use the role that turned it on; its lease ends by itself",
        ) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return  # nothing was installed
    left = barrier.each_in_turn(conn, scope.read_armed(conn), barrier.disarm, wait)
    if left:
        raise barrier.still_locked(conn, left, "the application writes again already")
    try:
        barrier.remove(conn)
    except psycopg.errors.LockNotAvailable:
        raise Stopped(
            "the schema of the maintenance mode is in use; the application writes again already",
            hint="run the same again",
        ) from None
