"""Maintenance mode around a migration, where it was asked for: on before, drained, off after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.safety.drain import DrainReport
    from harness.safety.maintenance import HeldLease, MaintenanceRequest, MaintenanceStatus
    from harness.safety.pooler import PoolerPause

REASON = "a migration is at work"
BEGINS = ("clean", "rolled-back", "partial")
"""States in which a migration has work to do; in others it says why not, or that all is done."""


@dataclass(frozen=True)
class GuardedRun:
    """The lease that is held around a run, the sessions that were ended before, the pooler."""

    held: HeldLease
    drained: DrainReport | None = None
    pooler: PoolerPause | None = None

    def findings(self) -> list[str]:
        """What was not as promised, once the run is over."""
        return self.held.findings() + (self.pooler.findings if self.pooler else [])

    def document(self) -> dict[str, Any]:
        """As JSON has it, once the run is over."""
        return {
            "roles": list(self.held.closure.status.roles),
            "tables": self.held.closure.status.tables,
            "findings": self.findings(),
            "lapses": [asdict(lapse) for lapse in self.held.lapses],
            "drain": self.drained.document() if self.drained else None,
            "pgbouncer": self.pooler.document() if self.pooler else None,
        }

    def lines(self) -> list[str]:
        """As a person reads it."""
        parts = [part for part in (self.pooler, self.drained) if part is not None]
        lines = [f"  {part.line()}" for part in parts]
        return lines + [f"  maintenance: {finding}" for finding in self.findings()]


@contextmanager
def guarded(
    wanted: bool, dsn: str, plan_path: Path, plan: Plan, refuse: Callable[[], None]
) -> Iterator[GuardedRun | None]:
    """Keep the application read-only for the length of the block; None where that is not wanted.

    Nothing is done where the migration has no work to do, nor where `refuse` says why it may not.
    PgBouncer pauses first and resumes last: its clients wait, and are not refused.
    """
    from harness import runner
    from harness.cli.maintenance import request_of
    from harness.safety.maintenance import holding

    if not wanted or runner.status(dsn, plan).state not in BEGINS:
        yield None
        return
    request = request_of(plan_path, REASON)
    refuse()
    with ExitStack() as around:
        pooler = around.enter_context(_paused(dsn, plan)) if _is_pooled(plan) else None
        held = around.enter_context(holding(dsn, request, _tell))
        yield GuardedRun(held, _drain(dsn, request, plan), pooler)


def _is_pooled(plan: Plan) -> bool:
    return plan.drain is not None and bool(plan.drain.pgbouncer)


def _paused(dsn: str, plan: Plan) -> AbstractContextManager[PoolerPause]:
    from harness.safety.pooler import paused

    assert plan.drain is not None, "asked before"
    return paused(dsn, plan.drain, plan.maintenance.lease)


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
