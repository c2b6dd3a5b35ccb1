"""Where maintenance mode stands: read by `status`, and before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from harness.core.errors import Refused
from harness.database import admin
from harness.safety.maintenance.request import MaintenanceRequest
from harness.safety.maintenance.scope import read_armed, read_uncovered
from harness.safety.maintenance.statements import Connection, statement


@dataclass(frozen=True)
class Lease:
    """The lease and who asked for it; `on` by the database's clock, `until` its end.

    `id` is None where the barrier stands but nobody's name is at it: an `on` that was killed.
    """

    id: str | None
    roles: tuple[str, ...]
    reason: str
    client: str
    held: bool
    until: datetime
    on: bool


@dataclass(frozen=True)
class MaintenanceStatus:
    """As JSON has it. `tables` bear the trigger, also after the lease; `uncovered` is in words."""

    state: str
    until: str | None
    reason: str | None
    roles: tuple[str, ...] = ()
    held: bool = False
    client: str | None = None
    tables: int = 0
    uncovered: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """As a person reads it."""
        lines = [f"maintenance: {self.state}"]
        if self.state == "on":
            who = f", held by {self.client}" if self.held else ""
            lines = [f"maintenance: on until {self.until}{who}: {self.reason}"]
            lines.append(f"  read-only for {', '.join(self.roles)}, on {self.tables} tables")
            lines += [f"  not covered: {what}" for what in self.uncovered]
        elif self.tables:
            ended = f"the lease ended at {self.until}" if self.until else "no lease was given"
            lines.append(
                f"  {ended}; {self.tables} tables still bear its trigger;"
                " harness maintenance off takes it away"
            )
        return lines


def is_installed(conn: Connection) -> bool:
    """Whether the barrier's schema is there; Refused when it is somebody else's."""
    row = conn.execute(
        "SELECT pg_catalog.to_regnamespace('migration_maintenance') IS NOT NULL,"
        " EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        " ON n.oid = c.relnamespace WHERE n.nspname = 'migration_maintenance'"
        " AND c.relname = 'lease' AND c.relkind = 'S')"
    ).fetchone()
    schema, ours = row or (False, False)
    if schema and not ours:
        raise Refused(
            "schema migration_maintenance is there, but is not the harness's",
            hint="somebody else made it; rename or drop it",
        )
    return bool(schema)


def read_lease(conn: Connection) -> Lease | None:
    """The lease, None where there is no barrier; Refused when this role may not read it."""
    if not is_installed(conn):
        return None
    try:
        row = conn.execute(statement("state")).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"this role may not read the maintenance mode: {error.diag.message_primary}",
            hint="use the role that turned it on",
        ) from error
    assert row is not None, "a sequence has one row"
    name, roles, reason, client, held, until, on = row
    return Lease(name, tuple(roles or ()), reason or "", client or "", bool(held), until, on)


def read_status(dsn: str, request: MaintenanceRequest) -> MaintenanceStatus:
    """Where maintenance mode stands on a database; nothing is written, a standby will do."""
    with admin.connection(dsn) as conn:
        conn.execute("SET default_transaction_read_only = on")
        return status_of(conn, request)


def status_of(conn: Connection, request: MaintenanceRequest) -> MaintenanceStatus:
    """The same over an open connection."""
    lease = read_lease(conn)
    armed = len(read_armed(conn))
    if lease is None:
        return MaintenanceStatus("off", None, None)
    until = spell_time(lease.until) if lease.until.year > 1970 else None
    if not lease.on:
        return MaintenanceStatus("off", until, lease.reason or None, tables=armed)
    return MaintenanceStatus(
        "on",
        until,
        lease.reason,
        roles=lease.roles,
        held=lease.held,
        client=lease.client,
        tables=armed,
        uncovered=_uncovered(conn, request, lease.roles),
    )


def _uncovered(
    conn: Connection, request: MaintenanceRequest, roles: Sequence[str]
) -> tuple[str, ...]:
    covered = MaintenanceRequest(roles=tuple(roles), schemas=request.schemas)
    return read_uncovered(conn, covered)


def spell_time(moment: datetime) -> str:
    """A time of the database's clock, as JSON and a person read it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
