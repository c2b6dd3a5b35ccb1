"""Rules between runs: a reason says something, and the time has (not) come."""

from __future__ import annotations

from harness.core.errors import Refused, UsageError
from harness.plan import Plan
from harness.runner.ledger import LedgerRun


def reason_given(reason: str | None, option: str) -> str | None:
    """A reason that says something; a blank one is a usage error."""
    if reason is not None and not reason.strip():
        raise UsageError(f"{option} needs a reason", hint="it is recorded with the run")
    return reason


def refuse_late(run: LedgerRun, plan: Plan, override: str | None) -> None:
    """Refuse a rollback after the window, counted from completion by the database's clock."""
    if run.age is None or run.age <= plan.window_hours * 3600 or override:
        return
    raise Refused(
        f"the migration was completed {run.age / 3600:.1f} hours ago;"
        f" the window for a rollback is {plan.window_hours:g} hours",
        hint="--override-window REASON rolls back all the same",
    )


def refuse_early(run: LedgerRun, plan: Plan, override: str | None) -> None:
    """Refuse a clean-up before the retention has passed."""
    if run.age is None or run.age >= plan.retention_days * 86400 or override:
        return
    raise Refused(
        f"the migration was completed {run.age / 86400:.1f} days ago;"
        f" its backups are kept for {plan.retention_days:g} days",
        hint="--override-retention REASON cleans up all the same",
    )
