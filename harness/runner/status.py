"""status: where a database stands; changes nothing, takes no lock, needs few rights."""

from __future__ import annotations

from harness.database import limits
from harness.errors import Refused
from harness.plan import Plan
from harness.runner import ledger
from harness.runner.connection import Connection, connect, set_known
from harness.runner.ledger import Ledger, Run
from harness.runner.outcome import Status
from harness.runner.preflight import Facts


def status(dsn: str, plan: Plan) -> Status:
    """Read the ledger, or when there is none, look whether the plan could start here."""
    with connect(dsn, "status") as conn, conn.transaction():
        set_known(conn, {"search_path": "", "transaction_read_only": "on", **limits.NONE})
        try:
            known = ledger.read(conn)
        except Refused as refusal:
            return Status("foreign", phases=_phases(plan, Ledger(), None), reason=str(refusal))
        return _standing(conn, plan, known)


def _standing(conn: Connection, plan: Plan, known: Ledger) -> Status:
    run = known.current
    if run is None:
        reason = Facts(conn, plan).foreign()
        phases = _phases(plan, known, None)
        return Status("foreign" if reason else "clean", phases=phases, reason=reason)
    return Status(
        state=known.state,
        run=run.id,
        direction=run.direction,
        step=_step(known, run),
        phases=_phases(plan, known, run),
        reason=_reason(plan, known, run),
    )


def _step(known: Ledger, run: Run) -> str | None:
    """The step in progress, else the one that was done last."""
    rows = sorted(known.checkpoints(run).values(), key=lambda row: row.position)
    unfinished = [row.step for row in rows if row.state != "done"]
    named = unfinished or [row.step for row in rows]
    return named[-1] if named else None


def _phases(plan: Plan, known: Ledger, run: Run | None) -> dict[str, dict[str, int]]:
    """How many steps of each phase are in place now."""
    here = {row.step for row in known.checkpoints(known.forward).values() if row.state == "done"}
    if run is not None and run.direction == "rollback":
        undone = known.checkpoints(run).values()
        here -= {row.step for row in undone if row.state == "done"}
        here = set() if run.completed else here
    return {
        phase.id: {
            "done": sum(step.id in here for step in phase.steps),
            "total": len(phase.steps),
        }
        for phase in plan.phases
    }


def _reason(plan: Plan, known: Ledger, run: Run) -> str | None:
    if run.plan != plan.name:
        return f"the database was migrated by plan {run.plan!r}, not {plan.name!r}"
    if known.cleanup is not None:
        return "cleaned up" if known.cleanup.completed else "the clean-up is unfinished"
    return None
