"""harness dry-run: the whole plan, forward and back, on a copy; the named database is only read."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness.cli.options import answer, dsn_option, json_option, named, plan_option
from harness.cli.run_options import server_option
from harness.cli.usage import Seconds
from harness.core.exit_status import ExitStatus
from harness.core.jsonfile import write_json
from harness.core.writable import refuse_unwritable


@click.command("dry-run")
@dsn_option
@plan_option
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
    plan_path: Path,
    as_json: bool,
    how: Any,
    server: str,
    max_lock: float | None,
    verbose: bool,
    save: Path | None,
    compare: Path | None,
) -> None:
    """Run the whole plan, forward and back, on a copy; nothing is touched in the database."""
    if compare is not None:
        _compare(named(dsn), compare, plan_path, as_json)
    from harness import plan
    from harness.document.base import to_builtins
    from harness.observe.progress import steps
    from harness.runner.signals import stop_requested
    from harness.scenario import dry_run as scenario
    from harness.scenario.dry_run.words import lines

    loaded = plan.load(plan_path)
    if save is not None:
        refuse_unwritable(save)
    if max_lock is not None:
        loaded = replace(loaded, dry_run=replace(loaded.dry_run, max_lock=max_lock))
    with stop_requested() as stop, steps("dry-run", runs=2) as on_event:
        done = scenario.dry_run(
            named(dsn), loaded, how=how, server=server, on_event=on_event, stop=stop
        )
    document = done.document()
    if save is not None:
        write_json(save, to_builtins(document), indent=1)
    answer(document, as_json, list(lines(document, verbose=verbose)))
    sys.exit(ExitStatus.of(document.verdict == "pass"))


def _compare(dsn: str, path: Path, plan_path: Path, as_json: bool) -> None:
    from harness import plan
    from harness.scenario.dry_run.estimate import estimate_error, read

    percent = plan.load(plan_path).dry_run.estimate_percent
    found = estimate_error(dsn, read(path), percent)
    line = f"estimate: unknown, {found.why}"
    if found.error is not None:
        line = (
            f"estimate: {found.estimate_seconds:.2f} s, took {found.seconds:.2f} s,"
            f" off by {found.error:.0%}: {found.verdict}"
        )
        line += f", {found.why}" if found.why else ""
    answer(found, as_json, [line])
    sys.exit(ExitStatus.of(found.verdict == "pass"))
