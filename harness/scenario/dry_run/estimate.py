"""How far a dry run's estimate was from the run that followed, by the database's own ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.core.errors import Refused
from harness.database import admin, ledger_view
from harness.database.ledger_view import RunView
from harness.document.base import Word, read_document
from harness.document.dry_run import (
    CopyDocument,
    DryRunDocument,
    EstimateDocument,
    EstimatedStep,
)

WHAT: Final = "what `harness dry-run --save` writes"
AGAIN: Final = "save it again"


def read(path: Path) -> DryRunDocument:
    """A saved dry run; UsageError names the file, the line and the reason when it is none."""
    return read_document(path, DryRunDocument, what=WHAT, hint=AGAIN)


def estimate_error(dsn: str, saved: DryRunDocument, percent: float = 50.0) -> EstimateDocument:
    """Compare a saved dry run with the last forward run of a database; only reads.

    Passes when the estimate is off by no more than `percent` of what the run took; unknown with the
    reason where it cannot be said.
    """
    expected = saved.estimate_seconds
    if expected is None:
        why = "the dry run did not come to its end"
        return EstimateDocument(verdict="unknown", estimate_seconds=None, why=why)
    run, took = _ledger(dsn)
    why = _unlike(run, saved)
    if why:
        return EstimateDocument(
            verdict="unknown", estimate_seconds=expected, seconds=run.seconds, why=why
        )
    seconds = run.seconds or 0.0
    error = abs(expected - seconds) / max(seconds, 0.001)
    steps = [
        EstimatedStep(id=step.id, estimate_seconds=step.seconds, seconds=took.get(step.id))
        for step in saved.steps
        if step.direction == "forward"
    ]
    verdict, why = _judged(error * 100 <= percent, saved.copy)
    return EstimateDocument(
        verdict=verdict,
        estimate_seconds=expected,
        seconds=round(seconds, 3),
        error=round(error, 3),
        why=why,
        steps=steps,
    )


def _judged(near: bool, copy: CopyDocument | None) -> tuple[Word, str]:
    if near:
        return "pass", ""
    if copy is None or copy.how != "elsewhere":
        return "fail", ""
    why = f"the dry run was made on a server of our own ({copy.server}), not on this one"
    return "unknown", why


def _ledger(dsn: str) -> tuple[RunView, dict[str, float]]:
    with admin.connection(dsn) as conn, conn.transaction():
        conn.execute("set transaction read only")
        if not ledger_view.has_ledger(conn):
            raise Refused("the database holds no run", hint="migrate it first")
        run = ledger_view.last_run(conn, "forward")
        if run is None:
            raise Refused("the database holds no forward run", hint="migrate it first")
        steps = ledger_view.steps_of(conn, run)
    return run, {name: round(step.seconds, 4) for name, step in steps.items()}


def _unlike(run: RunView, saved: DryRunDocument) -> str:
    """Why the run cannot be compared with the dry run; empty when it can."""
    if run.plan_hash != saved.plan.hash:
        return "the run was of another plan than the dry run"
    if run.state != "completed" or run.seconds is None:
        return "the run is not finished"
    if run.epoch != 1:
        return "the run was interrupted and resumed: its length has pauses in it"
    return ""
