"""Which hooks a finished run owes, and what became of them: events of the run in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.errors import HarnessError
from harness.database import admin
from harness.database.ledger_names import spelled
from harness.plan import Plan
from harness.plan.hooks import Hook
from harness.runner import ledger

DELIVERED = "hook_delivered"
FAILED = "hook_failed"
RECORD = """
INSERT INTO {event} (run_id, kind, step, message)
SELECT id, %s, %s, %s FROM {run} WHERE id = %s AND state = 'completed'
"""
OCCASIONS = {"forward": "migrated", "rollback": "rolled-back"}


@dataclass(frozen=True)
class OwedHooks:
    """The hooks that the last finished run of a database owes."""

    run: int
    hooks: tuple[Hook, ...]


def read_owed(dsn: str, plan: Plan) -> OwedHooks | None:
    """What is owed; None where no run is finished, or the plan has no hooks for it."""
    if not plan.hooks:
        return None
    with admin.connection(dsn) as conn:
        run = ledger.read(conn).current
        if run is None or not run.completed or run.plan != plan.name:
            return None
        done = {step for _, step, _ in ledger.events(conn, run.id, [DELIVERED])}
    occasion = OCCASIONS.get(run.direction)
    owed = [one for one in plan.hooks if occasion in one.on and one.name not in done]
    return OwedHooks(run.id, tuple(owed)) if owed else None


def record_hook(dsn: str, run: int, hook: Hook, failed: str | None) -> str | None:
    """Write down what became of a hook; the reason when that could not be written."""
    try:
        with admin.connection(dsn) as conn:
            admin.writable(conn)
            kind = DELIVERED if failed is None else FAILED
            conn.execute(spelled(RECORD), [kind, hook.name, (failed or "")[:2000], run])
    except HarnessError as error:
        return str(error)
    return None
