"""`harness rollback`: back, from any point."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.cli.hooks import deliver_owed
from harness.cli.options import (
    accept_edit_option,
    answer,
    database_command,
    named,
)
from harness.cli.outcome import eta_lines, outcome_lines, run_document
from harness.core.exit_status import ExitStatus


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
    from msgspec.structs import replace

    from harness import plan, runner
    from harness.observe.eta_error import EtaErrors
    from harness.observe.progress import steps
    from harness.runner.signals import stop_requested

    loaded = plan.load(plan_path)
    target = named(dsn)
    errors = EtaErrors()
    with stop_requested() as stop, steps("rollback", errors=errors) as on_event:
        outcome = runner.rollback(
            target,
            loaded,
            override_window=override_window,
            accept_edit=accept_edit,
            on_event=on_event,
            stop=stop,
        )
    lines = outcome_lines("rollback", outcome) + eta_lines(errors.median_percent())
    for relation, count in outcome.archived.items():
        lines.append(f"  {count:,} rows of {relation} kept in schema migration_archive")
    document = run_document(outcome, errors.median_percent())
    hooks = deliver_owed(target, loaded)
    if hooks:
        document = replace(document, hooks=[hook.document() for hook in hooks])
        lines += [hook.line() for hook in hooks]
    answer(document, as_json, lines)
    if any(hook.reason for hook in hooks):
        sys.exit(ExitStatus.FAILED)
