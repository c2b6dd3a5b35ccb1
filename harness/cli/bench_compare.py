"""`harness bench compare`: two refs side by side, and exit 1 only for a slowdown seen twice."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, json_option
from harness.cli.run_options import (
    build_option,
    own_server,
    pg_version_option,
    rows_option,
    seed_option,
    server_option,
)
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.document.comparison import ComparisonDocument
    from harness.scenario.bench.compare import ComparisonSettings

SAVED = ".json"
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("compare", short_help="Two refs, or two saved runs, compared in pairs.")
@click.argument("base")
@click.argument("head")
@json_option
@click.option(
    "--only", multiple=True, metavar="NAME",
    help="this benchmark, however long it takes; may be given again",
)  # fmt: skip
@click.option("--markdown", type=FILE, help="write it as Markdown, for a pull request")
@click.option("--html", type=FILE, help="write it as a page that needs no other file")
@rows_option(10_000, capped=True)
@seed_option
@server_option
@pg_version_option
@build_option
def compare(
    base: str,
    head: str,
    as_json: bool,
    only: tuple[str, ...],
    markdown: Path | None,
    html: Path | None,
    rows: int,
    seed: int,
    server: str,
    pg_version: int | None,
    build: Path,
) -> None:
    """Compare the benchmarks of BASE and HEAD: two git refs, or two saved JSON files.

    Each ref is installed apart and gets fresh servers, and the runs of both take turns. Exit 1 only
    for a slowdown that was measured and confirmed.
    """
    from harness.core.jsonfile import write_json
    from harness.core.writable import refuse_unwritable
    from harness.document.base import to_builtins
    from harness.scenario.bench.compare import ComparisonSettings, comparison_lines

    path = build / "comparison.json"
    for one in (path, markdown, html):
        if one is not None:
            refuse_unwritable(one)
    settings = ComparisonSettings(
        base, head, rows, seed, only=only, pg_version=pg_version,
        server=own_server(server, "an existing server is not compared on: servers are made anew"),
    )  # fmt: skip
    document = _compared(settings, build)
    write_json(path, to_builtins(document), indent=1)
    _report(document, markdown, html)
    answer(document, as_json, list(comparison_lines(document)))
    sys.exit(ExitStatus.of(document.verdict != "fail"))


def _compared(settings: ComparisonSettings, build: Path) -> ComparisonDocument:
    from harness.core.interrupt import interruptible
    from harness.core.jsonfile import write_json
    from harness.scenario.bench.compare import compare_saved, run_comparison, saved_runs

    sides = (settings.base, settings.head)
    if all(_is_saved(one) for one in sides):
        if settings.only:
            raise UsageError("--only is for two refs", hint="saved files are compared whole")
        return compare_saved(Path(settings.base), Path(settings.head))
    if any(_is_saved(one) for one in sides):
        raise UsageError(
            f"a ref and a saved file are not compared: {' and '.join(sides)}",
            hint="name two refs or two files",
        )
    again = "nothing is left of it; run the same command again, it starts from the beginning"
    with interruptible("the comparison", again):
        document, pairs = run_comparison(settings, lambda line: click.echo(f"  {line}", err=True))
    for arm, run in saved_runs(document, pairs).items():
        write_json(build / f"comparison-{arm}.json", run)
    return document


def _is_saved(named: str) -> bool:
    return named.endswith(SAVED) or Path(named).is_file()


def _report(document: ComparisonDocument, markdown: Path | None, html: Path | None) -> None:
    from harness.report.comparison import (
        comparison_markdown,
        render_comparison,
        write_report,
    )

    if markdown is not None:
        write_report(markdown, comparison_markdown(document))
    if html is not None:
        write_report(html, render_comparison(document))
