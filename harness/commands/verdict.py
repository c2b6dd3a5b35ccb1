"""The verdict that `migrate` asks for: --require-verdict, or [require_verdict] of the plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from harness.plan import Plan

BEGUN = ("partial", "migrated")  # nothing is started: a run goes on, or there is nothing to do

require_verdict_option = click.option(
    "--require-verdict",
    "verdict_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="refuse unless this verdict of the gate is GO and of this plan",
)


def refuse_without_verdict(dsn: str, plan: Plan, file: Path | None) -> None:
    """Raise Refused unless the verdict allows this plan; nothing is asked where nothing wants one.

    The file named on the command line stands in for the plan's; how old it may be is the plan's to
    say. Age is asked only of a run that starts: one that was begun with a good verdict may go on.
    """
    from harness import runner
    from harness.check.judgement import read
    from harness.check.require import refuse_unless_go

    rule = plan.require_verdict
    wanted = file or (rule.file if rule else None)
    if wanted is None:
        return
    found = read(wanted)
    begun = runner.status(dsn, plan).state in BEGUN
    age = rule.max_age_hours if rule and not begun else None
    refuse_unless_go(found, plan.hash, now=datetime.now(UTC), max_age_hours=age)
