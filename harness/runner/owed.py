"""Which hooks a run owes, and what became of them: events of the run in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.database import admin
from harness.database.ledger_names import spelled
from harness.plan import Plan
from harness.plan.hooks import Hook
from harness.runner import ledger
from harness.runner.ledger import Checkpoint, LedgerRun

DELIVERED = "hook_delivered"
FAILED = "hook_failed"
RECORD = """
INSERT INTO {event} (run_id, kind, step, message)
SELECT id, %s, %s, %s FROM {run} WHERE id = %s AND (state = 'completed' OR %s)
"""
ENDS = {"forward": "migrated", "rollback": "rolled-back"}


@dataclass(frozen=True)
class OwedHook:
    """A hook and its occasion: the end of the run, or a phase that is done."""

    hook: Hook
    occasion: str

    @property
    def at_end(self) -> bool:
        """Whether the run came to its end."""
        return self.occasion in ENDS.values()


@dataclass(frozen=True)
class OwedHooks:
    """The hooks that the last run of a database owes."""

    run: int
    hooks: tuple[OwedHook, ...]


def read_owed(dsn: str, plan: Plan) -> OwedHooks | None:
    """What is owed; None where nothing is finished, or the plan has no hooks for it."""
    if not plan.hooks:
        return None
    with admin.connection(dsn) as conn:
        found = ledger.read(conn)
        run = found.current
        if run is None or run.plan != plan.name:
            return None
        delivered = ledger.events(conn, run.id, [DELIVERED])
    # what was delivered at a run's end has always been written down without an occasion
    done = {(step, occasion or ENDS.get(run.direction)) for _, step, occasion in delivered}
    owed = tuple(
        OwedHook(hook, occasion)
        for occasion in _occasions(plan, run, found.steps.get(run.id, {}))
        for hook in plan.hooks
        if occasion in hook.on and (hook.name, occasion) not in done
    )
    return OwedHooks(run.id, owed) if owed else None


def _occasions(plan: Plan, run: LedgerRun, steps: Mapping[str, Checkpoint]) -> list[str]:
    """The phases that a migration has finished, in order, and the end of a run that came to it."""
    done = {step for step, row in steps.items() if row.state == "done"}
    phases = plan.phases if run.direction == "forward" else ()
    found = [phase.id for phase in phases if all(step.id in done for step in phase.steps)]
    return found + [ENDS[run.direction]] * (run.completed and run.direction in ENDS)


def record_hook(dsn: str, run: int, owed: OwedHook, failed: str | None) -> str | None:
    """Write down what became of a hook; the reason when that could not be written."""
    message = failed or ("" if owed.at_end else owed.occasion)
    kind = DELIVERED if failed is None else FAILED
    try:
        with admin.connection(dsn) as conn:
            admin.writable(conn)
            conn.execute(
                spelled(RECORD), [kind, owed.hook.name, message[:2000], run, not owed.at_end]
            )
    except HarnessError as error:
        return str(error)
    return None
