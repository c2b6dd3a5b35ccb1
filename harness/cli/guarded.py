"""Maintenance mode around a migration, where it was asked for: on before, drained, off after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.plan import Plan

if TYPE_CHECKING:
    from harness.safety.drain import DrainReport
    from harness.safety.maintenance import HeldLease, MaintenanceRequest, MaintenanceStatus

REASON = "a migration is at work"
BEGINS = ("clean", "rolled-back", "partial")
"""States in which a migration has work to do; in others it says why not, or that all is done."""


@dataclass(frozen=True)
class GuardedRun:
    """The lease that is held around a run, and the sessions that were ended before it."""

    held: HeldLease
    drained: DrainReport | None = None

    def document(self) -> dict[str, Any]:
        """As JSON has it, once the run is over."""
        return {
            "roles": list(self.held.closure.status.roles),
            "tables": self.held.closure.status.tables,
            "findings": self.held.findings(),
            "lapses": [asdict(lapse) for lapse in self.held.lapses],
            "drain": self.drained.document() if self.drained else None,
        }

    def lines(self) -> list[str]:
        """As a person reads it."""
        lines = [f"  {self.drained.line()}"] if self.drained else []
        return lines + [f"  maintenance: {finding}" for finding in self.held.findings()]


@contextmanager
def guarded(wanted: bool, dsn: str, plan_path: Path, plan: Plan) -> Iterator[GuardedRun | None]:
    """Keep the application read-only for the length of the block; None where that is not wanted.

    Nothing is done where the migration has no work to do.
    """
    from harness import runner
    from harness.cli.maintenance import request_of
    from harness.safety.maintenance import holding

    if not wanted or runner.status(dsn, plan).state not in BEGINS:
        yield None
        return
    request = request_of(plan_path, REASON)
    with holding(dsn, request, _tell) as held:
        yield GuardedRun(held, _drain(dsn, request, plan))


def _tell(status: MaintenanceStatus) -> None:
    for line in status.lines():
        click.echo(line, err=True)


def _drain(dsn: str, request: MaintenanceRequest, plan: Plan) -> DrainReport | None:
    from harness.database import admin
    from harness.safety.drain import drain
    from harness.safety.maintenance.writers import read_actors

    if plan.drain is None:
        return None
    with admin.connection(dsn) as conn:
        return drain(conn, read_actors(conn, request.roles), plan.drain)
