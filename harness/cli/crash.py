"""`harness crash`: the exploration on servers of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from harness.cli.command_options import command_options, take_command
from harness.cli.options import answer, json_option, named_plan_option
from harness.cli.run_options import (
    build_option,
    own_server,
    pg_version_option,
    rows_option,
    seed_option,
    server_option,
    workers_option,
)
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus

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
@build_option
def crash(as_json: bool, plan_path: Path | None, **choices: Any) -> None:
    """Strike a run at every point, on servers of its own, and prove that nothing is lost."""
    from harness.core.interrupt import interruptible
    from harness.crash import explore
    from harness.crash.tally import ProgressLines
    from harness.crash.telling import words
    from harness.observe.progress import bar
    from harness.report import crash_page

    settings = _exploration(plan_path, choices)
    pace = ProgressLines(lambda line: click.echo(f"  {line}", err=True))  # a log has no bar
    again = "nothing is left of it; run the same command again, it starts from the beginning"
    with interruptible("the exploration", again), bar("crash", "points", lines=False) as advance:

        def told(what: str, done: int, total: int) -> None:
            pace.told(what, done, total)
            advance(what, done, total)

        document = explore.run(settings, told)
    if settings.build is not None:
        crash_page.render(document, settings.build / "report" / "crash.html")
    answer(document, as_json, list(words(document)))
    sys.exit(ExitStatus.of(document.verdict == "pass"))


def _subject(plan_path: Path | None, choices: dict[str, Any]) -> dict[str, Any]:
    """What is struck, as settings: a command, or the plan that is named or is the project's."""
    from harness.subject.choice import command_of, default_plan
    from harness.subject.project import current_project

    trusted = choices["trust_command"]
    command, words = take_command(choices)
    if command is not None:
        return {"subject": command, "named": words}
    if plan_path is not None:
        return {"plan": plan_path}
    project = current_project()
    if project.kind == "command":
        named = ("--trust-command",) if trusted else ()
        return {"subject": command_of(project, trusted=trusted), "named": named}
    return {"plan": Path(os.path.relpath(default_plan()))}


def _exploration(plan_path: Path | None, choices: dict[str, Any]) -> Any:
    """The settings of an exploration, or a usage error before anything is started."""
    from harness.core.direction import DIRECTIONS
    from harness.crash import settings
    from harness.crash.registry import DOMAINS

    given = "existing" if choices.pop("dsn") else choices["server"]
    why = "an existing server is not explored: servers are killed and filled up here"
    choices["server"] = own_server(given, why)
    names = ("points", "domain", "direction", "fault")
    points, domain, direction, fault = (choices.pop(name) for name in names)
    subject = _subject(plan_path, choices)
    if points is None:
        points = str(OF_COMMAND) if "subject" in subject and not choices["replay"] else "all"
    if points != "all" and not (points.isdigit() and int(points)):
        raise UsageError(
            f"--points takes all or a whole number, not {points!r}", hint="such as --points 200"
        )
    return settings.CrashSettings(
        **subject,
        points=None if points == "all" else int(points),
        domains=DOMAINS if domain is None else settings.listed("domain", domain, DOMAINS),
        directions=(
            DIRECTIONS if direction is None else settings.listed("direction", direction, DIRECTIONS)
        ),
        faults=tuple(name.strip() for name in (fault or "").split(",") if name.strip()),
        **choices,
    )
