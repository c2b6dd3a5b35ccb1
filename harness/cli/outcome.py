"""What a run came to, as a document and in lines for a person."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from harness.cli.status import left_behind

if TYPE_CHECKING:
    from harness.document.run import RunDocument
    from harness.runner import RunOutcome


def run_document(outcome: RunOutcome, eta_error_percent: float | None = None) -> RunDocument:
    """What `--json` prints of an outcome."""
    from harness.document.run import AcceptedEditDocument, IrreversibleDocument, RunDocument

    said = dataclasses.asdict(outcome)
    accepted = [AcceptedEditDocument(**one) for one in said.pop("accepted")]
    irreversible = [IrreversibleDocument(**one) for one in said.pop("irreversible")]
    return RunDocument(
        **said,
        accepted=accepted,
        irreversible=irreversible,
        eta_error_percent=eta_error_percent,
    )


def eta_lines(error_percent: float | None) -> list[str]:
    """How far the times said to be left were off; nothing where none was said."""
    if error_percent is None:
        return []
    return [f"  time left, as it was said after a tenth of a step: {error_percent:g}% off (median)"]


def outcome_lines(verb: str, outcome: RunOutcome) -> list[str]:
    """What was run, how far, and what cannot be undone."""
    more = [
        f"  went on with {one['what']} {one['file']}: {one['reason']}" for one in outcome.accepted
    ]
    said = "cannot be undone exactly" if verb == "migrate" else "is not undone exactly"
    more += [
        f"  {one['step']} {said}: {left_behind(one)}"
        for one in outcome.irreversible
        if one["step"] in outcome.steps_run
    ]
    if not outcome.steps_run:
        return [f"{verb}: nothing to do, the database is {outcome.state}", *more]
    resumed = ", resumed" if outcome.resumed else ""
    steps = f"{len(outcome.steps_run)} steps run, {len(outcome.steps_skipped)} already done"
    figures = f"{outcome.rows:,} rows, {outcome.seconds:.2f} s"
    return [f"{verb}: {outcome.state}{resumed}; {steps}, {figures}", *more]
