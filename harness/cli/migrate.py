"""`harness migrate`: run, or resume what a crash or a stop left."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.cli import migrate_checks
from harness.cli.guarded import guarded
from harness.cli.hooks import PhaseHooks
from harness.cli.options import (
    accept_edit_option,
    answer,
    database_command,
    named,
)
from harness.cli.outcome import eta_lines, outcome_lines, run_document
from harness.cli.verdict import (
    accept_rows_option,
    refuse_without_verdict,
    require_verdict_option,
)
from harness.core.exit_status import ExitStatus


@database_command
@click.option("--until", metavar="STEP", help="stop after this step, or after this phase")
@click.option(
    "--maintenance",
    "guard",
    is_flag=True,
    help="read-only for the application's roles while it runs, by a lease that ends with it",
)
@click.option(
    "--waive-backup", metavar="REASON", help="recorded with the run: why there is no backup"
)
@click.option(
    "--backup",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="a proven backup of this database as it is: what verify compares the rows with after",
)
@click.option(
    "--waive-validation",
    metavar="REASON",
    help="recorded with the run: why it starts though validate does not pass",
)
@accept_edit_option
@require_verdict_option
@accept_rows_option
def migrate(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    until: str | None,
    guard: bool,
    waive_backup: str | None,
    backup: Path | None,
    waive_validation: str | None,
    accept_edit: str | None,
    verdict_file: Path | None,
    accept_rows: str | None,
) -> None:
    """Run the plan, or resume what a crash or a stop left."""
    from msgspec.structs import replace

    from harness import plan, runner
    from harness.observe.eta_error import EtaErrors
    from harness.observe.progress import steps
    from harness.runner.signals import stop_requested

    loaded = plan.load(plan_path)
    migrate_checks.read_checks(loaded)
    target = named(dsn)
    refuse_without_verdict(target, loaded, verdict_file, accept_rows)
    migrate_checks.refuse_without_backup(target, loaded, backup, waive_backup)
    note = migrate_checks.refuse_other_backup(target, loaded, backup)
    asked = migrate_checks.refuse_unless_valid(target, loaded, waive_validation)

    def refuse() -> None:
        runner.refuse_start(target, loaded, until=until, accept_edit=accept_edit)

    with guarded(guard, target, plan_path, loaded, refuse) as around:
        errors = EtaErrors()
        with stop_requested() as stop, steps("migrate", errors=errors) as on_event:
            hooks = PhaseHooks(target, loaded, on_event)
            outcome = runner.migrate(
                target,
                loaded,
                until=until,
                waive_backup=waive_backup,
                note="; ".join(filter(None, (note, asked.reason() if asked else None))) or None,
                accept_rows=accept_rows,
                accept_edit=accept_edit,
                on_event=hooks,
                stop=stop,
            )
        document = run_document(outcome, errors.median_percent())
        lines = outcome_lines("migrate", outcome) + eta_lines(errors.median_percent())
        if asked is not None:
            document = replace(document, validate=asked.document())
            lines += asked.lines()
        failed = False
        if loaded.verify.after and outcome.state == "migrated" and outcome.steps_run:
            found = migrate_checks.verify_after(target, loaded, backup)
            verification = migrate_checks.verification_document(found)
            document = replace(document, verify=verification)
            lines += migrate_checks.verification_lines(found, loaded)
            failed = verification.verdict == "fail"
    told = hooks.finish()
    if told:
        document = replace(document, hooks=[hook.document() for hook in told])
        lines += [hook.line() for hook in told]
        failed = failed or any(hook.reason for hook in told)
    if around is not None:
        document = replace(document, maintenance=around.document())
        lines += around.lines()
        failed = failed or bool(around.findings())
    answer(document, as_json, lines)
    if failed:
        sys.exit(ExitStatus.FAILED)
