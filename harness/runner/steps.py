"""Run a script by its kind, once, and say so."""

from __future__ import annotations

from collections.abc import Callable

from harness.core.errors import Refused
from harness.plan import Kind, Script
from harness.runner import batch_crew, concurrent_step, transaction_step
from harness.runner.context import RunContext
from harness.runner.ledger import Checkpoint
from harness.runner.retry import note_failure
from harness.runner.session import RunnerSession
from harness.runner.step_work import StepWatch, StepWork

RUNNERS: dict[Kind, Callable[[StepWork], int]] = {
    "transaction": transaction_step.run,
    "batch": batch_crew.run,
    "concurrent": concurrent_step.run,
}


def run_step(
    session: RunnerSession,
    step: str,
    position: int,
    script: Script,
    done: dict[str, Checkpoint],
    watch: StepWatch | None = None,
) -> None:
    """Run one step of the claimed run, unless its checkpoint says that it is done."""
    context = session.context
    row = done.get(step)
    if row is not None and row.state == "done":
        _found_done(context, row)
        return
    session.check_stop(step)
    if step not in context.begun:
        context.begun[step] = row.all_rows if row else 0
        context.tell("step_started", step)
    work = StepWork(session, step, position, script, row, watch=watch)
    kind: Kind = script.kind if script.statements else "transaction"
    try:
        rows = RUNNERS[kind](work)
    except Refused as refusal:  # it met something that is not the plan's
        note_failure(work, str(refusal))
        raise
    _count(context, step, rows)


def _found_done(context: RunContext, row: Checkpoint) -> None:
    """Done by an earlier runner, or by us: the answer to its commit was lost on the way."""
    if row.step in context.begun:
        if row.step not in context.steps_run:
            _count(context, row.step, row.rows)
    elif row.step not in context.steps_skipped:
        context.steps_skipped.append(row.step)


def _count(context: RunContext, step: str, rows: int) -> None:
    """Count a step that came to its end, with the rows that this runner changed in it."""
    mine = rows - context.begun[step]
    context.rows += mine
    context.steps_run.append(step)
    context.tell("step_done", step, mine)
