"""The verdict that `migrate` asks for: --require-verdict, or [require_verdict] of the plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from harness.check.required_verdict import AtHand
    from harness.check.verdict_file import GateVerdict
    from harness.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])
BEGUN = ("partial", "migrated", "rolling-back")  # a run goes on, or there is nothing to do

require_verdict_option = click.option(
    "--require-verdict",
    "verdict_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="refuse unless this verdict of the gate is GO, of this plan and of a database like this",
)


def accept_rows_option(function: F) -> F:
    """--accept-rows REASON."""
    return click.option(
        "--accept-rows",
        metavar="REASON",
        help="recorded with the run: why a verdict on far fewer rows will do",
    )(function)


def refuse_without_verdict(
    dsn: str, plan: Plan, file: Path | None, accept_rows: str | None = None
) -> None:
    """Raise Refused unless the verdict allows this plan here; where none is wanted, return.

    The file named on the command line stands in for the plan's; how old it may be is the plan's to
    say. Age, tool, settings, rows and database are asked only of a run that starts: one that was
    begun with a good verdict may go on.
    """
    from harness import runner
    from harness.check.required_verdict import refuse_unless_go
    from harness.check.verdict_file import read
    from harness.runner.rules import reason_given

    reason_given(accept_rows, "--accept-rows")
    rule = plan.require_verdict
    wanted = file or (rule.file if rule else None)
    if wanted is None:
        return
    found = read(wanted)
    starts = runner.status(dsn, plan).state not in BEGUN
    refuse_unless_go(
        found,
        plan.hash,
        now=datetime.now(UTC),
        max_age_hours=rule.max_age_hours if rule and starts else None,
        here=_at_hand(dsn, plan, found, accept_rows) if starts else None,
    )


def _at_hand(dsn: str, plan: Plan, found: GateVerdict, accept_rows: str | None) -> AtHand:
    from harness.check.required_verdict import CROWD, AtHand
    from harness.database import source
    from harness.scenario.gate import provenance as judged

    accepted = accept_rows is not None
    limits, limit = found.limits(CROWD), CROWD * found.rows
    return AtHand(
        tool=judged.tool(),
        settings=judged.settings(plan),
        source=source.take(dsn),
        crowded={} if accepted else source.crowded(dsn, limits, limit),
    )
