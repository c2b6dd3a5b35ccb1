"""harness dry-run: the whole plan, forward and back, on a copy; the named database is only read."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.command_options import chosen_subject, trust_option
from harness.cli.options import answer, dsn_option, json_option, named, named_plan_option
from harness.cli.run_options import server_option
from harness.cli.usage import Seconds
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus
from harness.core.jsonfile import write_json
from harness.core.writable import refuse_unwritable

if TYPE_CHECKING:
    from harness.scenario.dry_run import DryRun
    from harness.scenario.dry_run.scratch import How
    from harness.subject.protocol import Subject


@click.command("dry-run")
@dsn_option
@named_plan_option
@trust_option
@json_option
@click.option(
    "--clone",
    "how",
    type=click.Choice(["auto", "template", "dump", "elsewhere"]),
    default="auto",
    show_default=True,
    help="how to copy: by the server, by a dump on it, by a dump on a server of our own",
)
@server_option
@click.option(
    "--max-lock",
    type=Seconds(),
    metavar="TIME",
    help="how long a lock may keep users waiting; such as 2s; by default what the plan says",
)
@click.option("--verbose", is_flag=True, help="every finding, step, lock and lint")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="keep the document")
@click.option(
    "--compare",
    type=click.Path(dir_okay=False, path_type=Path),
    help="after the real run: how far the estimate of a saved dry run was off",
)
def dry_run(
    dsn: str | None,
    plan_path: Path | None,
    trust_command: bool,
    as_json: bool,
    how: How,
    server: str,
    max_lock: float | None,
    verbose: bool,
    save: Path | None,
    compare: Path | None,
) -> None:
    """Run the whole migration, forward and back, on a copy; the database is not touched."""
    subject = chosen_subject(plan_path, trusted=trust_command)
    if compare is not None:
        _compare(dsn, compare, subject, as_json)
    from harness.document.base import to_builtins
    from harness.scenario.dry_run.planned import hold_against, read_planned
    from harness.scenario.dry_run.words import lines

    window = read_planned(subject) if isinstance(subject, Path) else None
    if save is not None:
        refuse_unwritable(save)
    rehearsed = _rehearsed(named(dsn), subject, max_lock, how, server)
    document = hold_against(rehearsed.document(), window)
    if save is not None:
        write_json(save, to_builtins(document), indent=1)
    answer(document, as_json, list(lines(document, verbose=verbose)))
    sys.exit(ExitStatus.of(document.verdict == "pass"))


def _rehearsed(
    dsn: str, subject: Path | Subject, max_lock: float | None, how: How, server: str
) -> DryRun:
    from harness import plan
    from harness.observe.progress import steps
    from harness.plan import DryRunRules
    from harness.runner.signals import stop_requested
    from harness.scenario import dry_run as scenario
    from harness.scenario.dry_run.command import rehearse_command

    loaded = plan.load(subject) if isinstance(subject, Path) else None
    rules = loaded.dry_run if loaded is not None else DryRunRules()
    if max_lock is not None:
        rules = replace(rules, max_lock=max_lock)
    with stop_requested() as stop:
        if not isinstance(subject, Path):
            return rehearse_command(dsn, subject, rules, how=how, server=server, stop=stop)
        assert loaded is not None, "a path names a plan"
        loaded = replace(loaded, dry_run=rules)
        with steps("dry-run", runs=2) as on_event:
            return scenario.dry_run(
                dsn, loaded, how=how, server=server, on_event=on_event, stop=stop
            )


def _compare(dsn: str | None, path: Path, subject: Path | Subject, as_json: bool) -> None:
    if not isinstance(subject, Path):
        raise UsageError(
            "--compare needs a plan: no ledger says how long the run of a command took",
            hint="leave --compare out",
        )
    from harness import plan
    from harness.scenario.dry_run.estimate import estimate_error, read

    percent = plan.load(subject).dry_run.estimate_percent
    found = estimate_error(named(dsn), read(path), percent)
    line = f"estimate: unknown, {found.why}"
    if found.error is not None:
        line = (
            f"estimate: {found.estimate_seconds:.2f} s, took {found.seconds:.2f} s,"
            f" off by {found.error:.0%}: {found.verdict}"
        )
        line += f", {found.why}" if found.why else ""
    answer(found, as_json, [line])
    sys.exit(ExitStatus.of(found.verdict == "pass"))
