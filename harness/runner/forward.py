"""migrate: run the plan, or resume what a crash or a stop left."""

from __future__ import annotations

import time

from harness.core.errors import Refused
from harness.plan import Plan, Step
from harness.runner import claim
from harness.runner.context import RunContext
from harness.runner.edits import Acceptance, EditContext, settle
from harness.runner.halt import telling
from harness.runner.ledger import Ledger
from harness.runner.outcome import OnEvent, RunOutcome, Stop, irreversible, never, silent
from harness.runner.preflight import StartFacts, refuse_unfit, refuse_without_rights
from harness.runner.reconnect import attend
from harness.runner.rules import reason_given
from harness.runner.session import RunnerSession
from harness.runner.steps import run_step
from harness.runner.throttle import refuse_blind


def migrate(
    dsn: str,
    plan: Plan,
    *,
    until: str | None = None,
    waive_backup: str | None = None,
    note: str | None = None,
    accept_rows: str | None = None,
    accept_edit: str | None = None,
    on_event: OnEvent | None = None,
    stop: Stop = never,
) -> RunOutcome:
    """Run the plan forward, as far as `until`; what is done already is not done again.

    `note` is recorded with the run's reason: what its caller asked, and what was waived.
    With the reason `accept_edit` it goes on though files of steps changed that committed nothing.
    """
    last = plan.resolve(until) if until is not None else plan.steps[-1]
    reason = reason_given(waive_backup, "--waive-backup")
    if reason_given(accept_rows, "--accept-rows"):
        reason = "; ".join(filter(None, (reason, f"rows accepted: {accept_rows}")))
    reason = "; ".join(filter(None, (reason, note))) or None
    accepting = reason_given(accept_edit, "--accept-edit")
    context = RunContext(plan, on_event or silent, stop)
    began = time.monotonic()
    with telling(context, "migrate", len(plan.steps)):
        state = attend(dsn, context, lambda session: _forward(session, last, reason, accepting))
    return RunOutcome(
        state=state,
        resumed=bool(context.resumed),
        steps_run=context.steps_run,
        steps_skipped=context.steps_skipped,
        rows=context.rows,
        seconds=round(time.monotonic() - began, 3),
        accepted=context.accepted,
        irreversible=irreversible(plan, {*context.steps_run, *context.steps_skipped}),
    )


def refuse_start(
    dsn: str, plan: Plan, *, until: str | None = None, accept_edit: str | None = None
) -> None:
    """Raise what `migrate` would raise before it changes anything; the database stays as it is.

    Whoever does something for the sake of a run, such as closing an application, asks this first.
    """
    if until is not None:
        plan.resolve(until)
    accepting = reason_given(accept_edit, "--accept-edit")
    attend(
        dsn, RunContext(plan, silent, never),
        lambda session: _admit(session, claim.settle_ledger(session), accepting),
    )  # fmt: skip


def _admit(session: RunnerSession, known: Ledger, accepting: str | None) -> Acceptance:
    """Refuse a database on which the plan may not start or go on; else the accepted edits."""
    plan = session.plan
    if known.state == "rolling-back":
        raise Refused(
            "a rollback of this database is unfinished",
            hint="finish it with `harness rollback`, then migrate again",
        )
    if known.state != "migrated":
        refuse_blind(session, (step.forward for step in plan.steps))
    with session.bounded():
        if known.state in ("migrated", "partial") and known.current is not None:
            accepted = settle(EditContext(session.lock, plan, known, known.current), accepting)
            if known.state == "partial":
                refuse_without_rights(StartFacts(session.lock, plan))
            return accepted
        refuse_unfit(session.lock, plan)
        return Acceptance(reason=accepting or "")


def _forward(session: RunnerSession, last: Step, reason: str | None, accepting: str | None) -> str:
    context, plan = session.context, session.plan
    known = claim.settle_ledger(session)
    accepted = _admit(session, known, accepting)
    if known.state == "migrated":
        return _nothing_to_do(session, accepted)
    if known.state == "partial" and known.current is not None:
        run = known.current
        if context.resumed is None:
            context.resumed = True
        written = accepted.rows(plan, (run,), run.id, run.epoch + 1)
        claim.claim_run(session, known, run, reason, written)
        context.accept(accepted)
        _told(session, "resumed", known, last)
    else:
        context.resumed = False
        claim.start_run(session, "forward", None, reason, known)
        context.accept(accepted)
        _told(session, "run_started", known, last)
    _steps(session, known, last)
    return _finish(session, last)


def _told(session: RunnerSession, kind: str, known: Ledger, last: Step) -> None:
    steps = [step.id for step in session.plan.steps]
    number = session.run.id
    session.context.tell_run(
        kind, number, steps[: steps.index(last.id) + 1], known.steps.get(number, {})
    )


def _nothing_to_do(session: RunnerSession, accepted: Acceptance) -> str:
    context = session.context
    context.accept(accepted)
    done = [step.id for step in session.plan.steps if step.id not in context.steps_run]
    context.steps_skipped[:] = done
    if not context.steps_run:
        context.tell("nothing", message="the database is migrated already")
    return "migrated"


def _steps(session: RunnerSession, known: Ledger, last: Step) -> None:
    done = known.steps.get(session.run.id, {})
    for position, step in enumerate(session.plan.steps, 1):
        run_step(session, step.id, position, step.forward, done)
        if step.id == last.id:
            return


def _finish(session: RunnerSession, last: Step) -> str:
    """Complete the run when its last step is done; `until` may have stopped before."""
    steps = session.plan.steps
    done = {*session.context.steps_run, *session.context.steps_skipped}
    if last.id != steps[-1].id and not all(step.id in done for step in steps):
        return "partial"
    claim.complete_run(session)
    session.context.tell("completed", message=f"run {session.run.id}")
    return "migrated"
