"""rollback: back to before the migration, from any point of it; a run like any other."""

from __future__ import annotations

import time

from harness.core.errors import Refused
from harness.plan import Plan
from harness.runner import claim, ledger
from harness.runner.context import RunContext
from harness.runner.edits import EditContext, refuse_another_plan, settle
from harness.runner.halt import telling
from harness.runner.ledger import Ledger, LedgerRun
from harness.runner.outcome import OnEvent, RunOutcome, Stop, irreversible, never, silent
from harness.runner.preflight import StartFacts, refuse_without_rights
from harness.runner.reconnect import attend
from harness.runner.rules import reason_given, refuse_late
from harness.runner.session import RunnerSession
from harness.runner.steps import run_step
from harness.runner.throttle import refuse_blind
from harness.runner.way_back import script_back


def rollback(
    dsn: str,
    plan: Plan,
    *,
    override_window: str | None = None,
    accept_edit: str | None = None,
    on_event: OnEvent | None = None,
    stop: Stop = never,
) -> RunOutcome:
    """Undo every step that was begun, the last first; `archived` counts what was set aside.

    With the reason `accept_edit` it goes on though ways back changed that committed nothing.
    """
    reason = reason_given(override_window, "--override-window")
    accepting = reason_given(accept_edit, "--accept-edit")
    context = RunContext(plan, on_event or silent, stop)
    began = time.monotonic()
    with telling(context, "rollback", len(plan.steps)):
        state, archived = attend(
            dsn, context, lambda session: _backward(session, reason, accepting)
        )
    return RunOutcome(
        state=state,
        resumed=bool(context.resumed),
        steps_run=context.steps_run,
        steps_skipped=context.steps_skipped,
        rows=context.rows,
        seconds=round(time.monotonic() - began, 3),
        archived=archived,
        accepted=context.accepted,
        irreversible=irreversible(plan, {*context.steps_run, *context.steps_skipped}),
    )


def _backward(
    session: RunnerSession, reason: str | None, accepting: str | None
) -> tuple[str, dict[str, int]]:
    context, plan = session.context, session.plan
    known = claim.settle_ledger(session)
    current = known.current
    if current is None or known.state == "rolled-back":
        return _nothing_to_do(session, known)
    refuse_blind(session, (step.rollback for step in plan.steps))
    if known.state == "rolling-back":
        run = _run(known, current.undoes)
        with session.bounded():
            accepted = settle(
                EditContext(session.lock, plan, known, run, current, goes_back=True), accepting
            )
        if context.resumed is None:
            context.resumed = True
        written = accepted.rows(plan, (run, current), current.id, current.epoch + 1)
        claim.claim_run(session, known, current, also=written)
        context.tell_run("resumed", current.id, known.checkpoints(run), known.checkpoints(current))
    else:
        run = current
        _refuse(plan, known, run, reason)
        with session.bounded():
            accepted = settle(
                EditContext(session.lock, plan, known, run, goes_back=True), accepting
            )
            refuse_without_rights(StartFacts(session.lock, plan))
        context.resumed = False
        claim.start_run(
            session,
            "rollback",
            run,
            reason,
            known,
            lambda new: accepted.rows(plan, (run,), new.id, 1),
        )
        context.tell_run("run_started", session.run.id, known.checkpoints(run), {})
    context.accept(accepted)
    _steps(session, known, run)
    claim.complete_run(session)
    context.tell("completed", message=f"run {session.run.id}")
    return "rolled-back", ledger.archived(session.work.conn, session.run.id)


def _run(known: Ledger, number: int | None) -> LedgerRun:
    return next(run for run in known.runs if run.id == number)


def _refuse(plan: Plan, known: Ledger, run: LedgerRun, reason: str | None) -> None:
    if known.cleanup is not None:
        raise Refused(
            "the migration was cleaned up: what a rollback needs is dropped",
            hint="restore a backup from before the migration",
        )
    refuse_another_plan(plan, run)
    if run.completed:
        refuse_late(run, plan, reason)


def _nothing_to_do(session: RunnerSession, known: Ledger) -> tuple[str, dict[str, int]]:
    """Nothing was migrated, or all of it is undone; a foreign database is refused."""
    context = session.context
    if known.current is None:
        with session.bounded():
            foreign = StartFacts(session.lock, session.plan).foreign()
        if foreign:
            raise Refused(
                f"not a database of plan {session.plan.name!r}: {foreign}",
                hint="name the right database",
            )
        context.tell("nothing", message="nothing was migrated")
        return "clean", {}
    if not context.steps_run:
        context.tell("nothing", message="the database is rolled back already")
        return "rolled-back", {}
    return "rolled-back", ledger.archived(session.lock, known.current.id)


def _steps(session: RunnerSession, known: Ledger, forward: LedgerRun) -> None:
    touched = known.checkpoints(forward)
    done = known.checkpoints(session.run)
    steps = [step for step in reversed(session.plan.steps) if step.id in touched]
    for position, step in enumerate(steps, 1):
        script = step.rollback
        if step.id not in done:
            script = script_back(session, step, touched[step.id])
        run_step(session, step.id, position, script, done)
