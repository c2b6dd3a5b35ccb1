"""status: where a database stands; changes nothing, takes no lock, needs few rights."""

from __future__ import annotations

from harness.core.errors import Refused
from harness.database import pinned
from harness.plan import Plan
from harness.runner import ledger
from harness.runner.connection import Connection, connect
from harness.runner.edits import ACCEPTED, EditContext, judged, listed
from harness.runner.ledger import Ledger, LedgerRun
from harness.runner.outcome import Status, irreversible
from harness.runner.preflight import StartFacts


def status(dsn: str, plan: Plan) -> Status:
    """Read the ledger, or when there is none, look whether the plan could start here."""
    with connect(dsn, "status") as conn:
        pinned.pin(conn)  # before the transaction: a database may end one that is idle
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            try:
                known = ledger.read(conn)
            except Refused as refusal:
                return Status("foreign", phases=_phases(plan, Ledger(), None), reason=str(refusal))
            return _standing(conn, plan, known)


def _standing(conn: Connection, plan: Plan, known: Ledger) -> Status:
    run = known.current
    phases = _phases(plan, known, run)
    if run is None:
        facts = StartFacts(conn, plan)
        reason = facts.foreign()
        steps = {step.id for step in plan.steps}
        return Status(
            state="foreign" if reason else "clean",
            phases=phases,
            reason=reason,
            next=_first(facts, reason),
            irreversible=irreversible(plan, steps),
        )
    failed, edits = _told(conn, known, run)
    reason, following = _reason(plan, known, run), _next(plan, known, run)
    if reason is None and not run.completed:
        reason, following = _changed(conn, plan, known, run, following)
    return Status(
        state=known.state,
        run=run.id,
        direction=run.direction,
        step=failed[0] if failed else _step(known, run),
        phases=phases,
        reason=reason,
        error=failed[1] if failed else None,
        next=following,
        edits=edits,
        irreversible=irreversible(plan, known.checkpoints(known.forward)),
    )


def _told(
    conn: Connection, known: Ledger, run: LedgerRun
) -> tuple[tuple[str, str] | None, list[dict[str, str | None]]]:
    """The failure that the run has not got over, with its step, and the accepted edits."""
    rows = known.checkpoints(run)
    failed: tuple[str, str] | None = None
    edits: list[dict[str, str | None]] = []
    for kind, step, message in ledger.events(conn, run.id, ["step_failed", ACCEPTED]):
        if kind == ACCEPTED:
            words, _, reason = message.partition(": ")
            what, _, file = words.partition(" ")
            edits.append({"what": what, "file": file, "step": step, "reason": reason})
        elif step is not None and not run.completed:
            row = rows.get(step)
            failed = (step, message) if row is None or row.state != "done" else None
    return failed, edits


def _first(facts: StartFacts, reason: str | None) -> str | None:
    """The command with which a database that no run has touched goes on, if it is the plan's."""
    if reason is None:
        return "harness migrate"
    return "harness baseline" if facts.unfinished or facts.relations == 0 else None


def _next(plan: Plan, known: Ledger, run: LedgerRun) -> str | None:
    """The command that goes on from here."""
    if run.plan != plan.name:
        return None
    if known.cleanup is not None:
        return None if known.cleanup.completed else "harness cleanup"
    return {
        "partial": "harness migrate",
        "migrated": "harness verify",
        "rolling-back": "harness rollback",
        "rolled-back": "harness migrate",
    }[known.state]


def _changed(
    conn: Connection, plan: Plan, known: Ledger, run: LedgerRun, following: str | None
) -> tuple[str | None, str | None]:
    """That files changed since the run began, and the command that takes them as they are."""
    back = run.direction == "rollback"
    forward = next(one for one in known.runs if one.id == run.undoes) if back else run
    edits = judged(EditContext(conn, plan, known, forward, run if back else None, goes_back=back))
    if not edits:
        return None, following
    reason = f"the plan changed since run {forward.id} began: {listed(edits)}"
    kept = next((edit.kept for edit in edits if edit.kept), None)
    if kept:
        return f"{reason}; {kept}", following
    return reason, f"{following} --accept-edit REASON"


def _step(known: Ledger, run: LedgerRun) -> str | None:
    """The step in progress, else the one that was done last."""
    rows = sorted(known.checkpoints(run).values(), key=lambda row: row.position)
    unfinished = [row.step for row in rows if row.state != "done"]
    named = unfinished or [row.step for row in rows]
    return named[-1] if named else None


def _phases(plan: Plan, known: Ledger, run: LedgerRun | None) -> dict[str, dict[str, int]]:
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


def _reason(plan: Plan, known: Ledger, run: LedgerRun) -> str | None:
    if run.plan != plan.name:
        return f"the database was migrated by plan {run.plan!r}, not {plan.name!r}"
    if known.cleanup is not None:
        return "cleaned up" if known.cleanup.completed else "the clean-up is unfinished"
    return None
