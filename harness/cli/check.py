"""`harness check`: every revision of a tree, up, down and up again, on a server of our own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from harness.cli.options import json_option
from harness.cli.run_options import own_server, pg_version_option, seed_option, server_option
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.core.finding import Severity
    from harness.document.check import CheckDocument

Format = Literal["text", "json", "sarif", "github", "markdown"]


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--dsn", hidden=True, help="refused: the tree runs on a server of our own")
@click.option(
    "--since", metavar="REV", help="judge what this git ref lacks [default: the merge base]"
)
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="judge the last N revisions")
@click.option("--all", "all_of_them", is_flag=True, help="judge every revision")
@click.option("--layout", metavar="NAME", help="whose tree it is, where its marks do not say")
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="the schema before the revisions under test, as pg_dump -s writes it",
)
@click.option(
    "--rows", type=click.IntRange(min=0), default=1000, show_default=True, help="rows a table"
)
@click.option(
    "--like", type=click.IntRange(min=1), metavar="N", help="times at N rows, by measured growth"
)
@click.option(
    "--fail-on",
    type=click.Choice(["critical", "warning", "info"]),
    default="critical",
    show_default=True,
    help="exit 1 from this severity on",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(Format)),
    default="text",
    show_default=True,
    help="how the result is written to stdout",
)
@json_option
@click.option(
    "--superuser", is_flag=True, help="run the tree as a superuser: it may start programs"
)
@click.option("--verbose", is_flag=True, help="every revision and finding")
@seed_option
@server_option
@pg_version_option
def check(
    path: Path,
    dsn: str | None,
    since: str | None,
    last: int | None,
    all_of_them: bool,
    layout: str | None,
    baseline: Path | None,
    rows: int,
    like: int | None,
    fail_on: Severity,
    form: Format,
    as_json: bool,
    superuser: bool,
    verbose: bool,
    seed: int,
    server: str,
    pg_version: int | None,
) -> None:
    """Run every new revision of any tool's tree up, down and up again on clones, and judge it."""
    from harness.core.interrupt import interruptible
    from harness.observe.progress import bar
    from harness.scenario.revisions import CheckSettings, check_tree

    why = "a tree is checked on a server of our own, never on an existing one"
    settings = CheckSettings(
        path=path, layout=layout, since=since, last=last, all_of_them=all_of_them,
        baseline=baseline, rows=rows, like=like, seed=seed, superuser=superuser,
        pg_version=pg_version, server=own_server("existing" if dsn else server, why),
    )  # fmt: skip
    again = "nothing is left of it; run the same command again"
    with interruptible("the check", again), bar("check", "revisions") as advance:
        document = check_tree(settings, advance, lambda line: click.echo(f"  {line}", err=True))
    _answer(document, "json" if as_json else form, verbose)
    sys.exit(ExitStatus.of(_is_good(document, fail_on)))


def _is_good(document: CheckDocument, fail_on: Severity) -> bool:
    failing = ("critical", "warning", "info")[: ("critical", "warning", "info").index(fail_on) + 1]
    loud = any(one.severity in failing for each in document.revisions for one in each.findings)
    return document.verdict == "pass" and not loud


def _answer(document: CheckDocument, form: Format, verbose: bool) -> None:
    from harness.report.revisions import formats
    from harness.scenario.revisions.words import lines

    if form == "text":
        for line in lines(document, verbose=verbose):
            click.echo(line)
        return
    click.echo(formats.FORMATS[form](document), nl=False)
