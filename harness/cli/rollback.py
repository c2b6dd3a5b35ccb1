"""`harness rollback`: back, from any point."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from harness.cli.options import (
    accept_edit_option,
    answer,
    database_command,
    named,
)
from harness.cli.outcome import outcome_lines


@database_command
@click.option(
    "--override-window", metavar="REASON", help="recorded: why it is rolled back after the window"
)
@accept_edit_option
def rollback(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    override_window: str | None,
    accept_edit: str | None,
) -> None:
    """Go back to before the migration, from any point of it."""
    from harness import plan, runner
    from harness.observe.progress import steps
    from harness.runner.signals import stop_requested

    loaded = plan.load(plan_path)
    with stop_requested() as stop, steps("rollback") as on_event:
        outcome = runner.rollback(
            named(dsn),
            loaded,
            override_window=override_window,
            accept_edit=accept_edit,
            on_event=on_event,
            stop=stop,
        )
    lines = outcome_lines("rollback", outcome)
    for relation, count in outcome.archived.items():
        lines.append(f"  {count:,} rows of {relation} kept in schema migration_archive")
    answer(dataclasses.asdict(outcome), as_json, lines)
