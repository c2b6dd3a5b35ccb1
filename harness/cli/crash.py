"""`harness crash`: the exploration on servers of its own."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.command_options import CommandOptions, command_options, named_command
from harness.cli.options import answer, json_option, named_plan_option
from harness.cli.run_options import (
    build_option,
    costs_option,
    own_server,
    pg_version_option,
    rows_option,
    scheduler_option,
    seed_option,
    server_option,
    shard_option,
    workers_option,
)
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus
from harness.core.shard import Shard

if TYPE_CHECKING:
    from harness.crash.settings import CrashSettings
    from harness.document.costs import Costs
    from harness.document.crash import CrashDocument
    from harness.subject.protocol import Subject


OF_COMMAND = 60
"""Points that a command is struck at where nothing is said: each starts it three times."""


@click.command()
@click.option("--dsn", hidden=True, help="refused: servers are killed here")
@named_plan_option
@command_options
@json_option
@click.option(
    "--points",
    metavar="all|N",
    help=f"all, or a sample  [default: all; {OF_COMMAND} of a command]",
)
@click.option("--boundaries", is_flag=True, help="with --points N: every commit boundary besides")
@click.option("--domain", default=None, help="wire,wal,pinned,contended,tampered,environment")
@click.option("--direction", default=None, help="forward,rollback,cleanup")
@click.option("--fault", default=None, help="only these faults, such as cut,unheard,sigkill")
@click.option("--replay", metavar="POINT", help="strike at one point, as a failure prints it")
@rows_option(1000, least=0, capped=True)
@seed_option
@server_option
@pg_version_option
@workers_option(5, "more than cores, since many faults mostly wait")
@shard_option
@costs_option
@scheduler_option
@build_option
def crash(
    dsn: str | None,
    plan_path: Path | None,
    command: CommandOptions,
    as_json: bool,
    points: str | None,
    boundaries: bool,
    domain: str | None,
    direction: str | None,
    fault: str | None,
    replay: str | None,
    rows: int,
    seed: int,
    server: str,
    pg_version: int | None,
    workers: int,
    shard: Shard | None,
    costs: Costs,
    scheduler: str | None,
    build: Path,
) -> None:
    """Strike a run at every point, on servers of its own, and prove that nothing is lost."""
    from harness.core.direction import DIRECTIONS
    from harness.crash import settings
    from harness.crash.registry import DOMAINS
    from harness.crash.summary import words
    from harness.report import crash_page

    why = "an existing server is not explored: servers are killed and filled up here"
    server = own_server("existing" if dsn else server, why)
    struck = _find_subject(plan_path, command)
    chosen = settings.CrashSettings(
        plan=struck.plan,
        subject=struck.subject,
        named=struck.named,
        rows=rows,
        seed=seed,
        points=_number(points, whole=struck.subject is None or bool(replay)),
        boundaries=boundaries,
        domains=DOMAINS if domain is None else settings.listed("domain", domain, DOMAINS),
        directions=DIRECTIONS
        if direction is None
        else settings.listed("direction", direction, DIRECTIONS),
        faults=tuple(name.strip() for name in (fault or "").split(",") if name.strip()),
        replay=replay,
        server=server,
        pg_version=pg_version,
        workers=workers,
        build=build,
        shard=shard,
        costs=costs,
    )
    document = _explored(chosen, scheduler)
    crash_page.render(document, build / "report" / "crash.html")
    answer(document, as_json, list(words(document)))
    sys.exit(ExitStatus.of(document.verdict == "pass"))


def _explored(settings: CrashSettings, scheduler: str | None) -> CrashDocument:
    from harness.core.interrupt import interruptible
    from harness.crash import explore
    from harness.crash.tally import ProgressLines
    from harness.observe.progress import bar

    pace = ProgressLines(lambda line: click.echo(f"  {line}", err=True))  # a log has no bar
    again = "nothing is left of it; run the same command again, it starts from the beginning"
    with interruptible("the exploration", again), bar("crash", "points", lines=False) as advance:

        def told(what: str, done: int, total: int) -> None:
            pace.told(what, done, total)
            advance(what, done, total)

        if scheduler is not None:
            from harness.scenario.cluster.run import crash_on

            return crash_on(scheduler, settings, told)
        return explore.run(settings, told)


@dataclass(frozen=True)
class StruckSubject:
    """What is struck: a command with the words that name it, or the plan in a file."""

    plan: Path = Path("plan.toml")
    subject: Subject | None = None
    named: tuple[str, ...] = ()


def _find_subject(plan_path: Path | None, given: CommandOptions) -> StruckSubject:
    """The command or the plan that is named, else the project's own."""
    from harness.subject.choice import default_plan, foreign_subject
    from harness.subject.project import current_project

    command, named = named_command(given)
    if command is not None:
        return StruckSubject(subject=command, named=named)
    if plan_path is not None:
        return StruckSubject(plan=plan_path)
    project = current_project()
    if project.kind != "plan":
        named = ("--trust-command",) if given.trust_command else ()
        subject = foreign_subject(project, trusted=given.trust_command)
        return StruckSubject(subject=subject, named=named)
    return StruckSubject(plan=Path(os.path.relpath(default_plan())))


def _number(points: str | None, whole: bool) -> int | None:
    """How many points are taken, None for all; without a word all, or a sample of a command's."""
    if points is None:
        return None if whole else OF_COMMAND
    if points == "all":
        return None
    if not (points.isdigit() and int(points)):
        raise UsageError(
            f"--points takes all or a whole number, not {points!r}", hint="such as --points 200"
        )
    return int(points)
