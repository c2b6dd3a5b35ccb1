"""A small plan with a mistake, and what a dry run of it saw."""

from __future__ import annotations

from harness.core.finding import Finding
from harness.plan import Plan
from harness.scenario.dry_run import DryRun
from harness.scenario.dry_run.model import LockSeen, StepSeen
from tests.harness.support.runner import SmallPlan

COLUMN = "phases/1.1_fill/010_column.forward.sql"
BACK = "phases/1.1_fill/010_column.rollback.sql"


def added(small: SmallPlan, forward: str, rollback: str = "") -> Plan:
    """The plan with a mistake in its first step, and its way back."""
    for name, text in ((COLUMN, forward), (BACK, rollback)):
        path = small.root / name
        path.write_text(f"{path.read_text()}{text}\n")
    return small.load()


def critical(run: DryRun) -> list[Finding]:
    return [finding for finding in run.findings if finding.severity == "critical"]


def told(run: DryRun) -> list[str]:
    """The ids of its findings, but for what other tests do to the server meanwhile."""
    return [one.id for one in run.findings if one.id != "dry-run.server-changed"]


def the_step(run: DryRun, step: str, direction: str = "forward") -> StepSeen:
    found = (one for one in run.evidence.steps if (one.id, one.direction) == (step, direction))
    return next(found)


def the_lock(seen: StepSeen, relation: str, mode: str) -> LockSeen:
    return next(one for one in seen.locks if (one.relation, one.mode) == (relation, mode))
