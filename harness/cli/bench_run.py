"""`harness bench run`: the benchmarks of a plan, on a server of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, json_option, plan_option
from harness.cli.run_options import own_server, pg_version_option, seed_option, server_option
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.document.bench_run import BenchRunDocument
    from harness.scenario.bench.run import BenchSettings

WHY = "benchmarks run on a server of their own"


@click.command("run")
@plan_option
@json_option
@click.option(
    "--rows",
    "sizes",
    type=click.IntRange(min=1, max=100_000_000),
    multiple=True,
    default=(10_000,),
    show_default=True,
    help="rows to seed; given three times or more, an exponent is fitted",
)
@click.option("--only", multiple=True, metavar="NAME", help="this benchmark; may be given again")
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, path_type=Path),
    help="write the figures as a page besides",
)
@seed_option
@server_option
@pg_version_option
def run(
    plan_path: Path,
    as_json: bool,
    sizes: tuple[int, ...],
    only: tuple[str, ...],
    markdown: Path | None,
    seed: int,
    server: str,
    pg_version: int | None,
) -> None:
    """Time the migration and the subject's queries before and after it, and count their cost."""
    from harness import plan
    from harness.core.interrupt import interruptible
    from harness.core.writable import refuse_unwritable
    from harness.scenario.bench.queries import queries_of
    from harness.scenario.bench.run import BenchSettings, benchmarks_directory, run_benchmarks
    from harness.scenario.gate.shipped import contract_of
    from harness.subject.choice import particulars_of
    from harness.subject.project import find_project

    if markdown is not None:
        refuse_unwritable(markdown)
    loaded, project = plan.load(plan_path), find_project()
    root = project.root if project is not None else None
    named = particulars_of(loaded.name, project).benchmarks
    queries = queries_of(benchmarks_directory(root, named), contract_of(loaded, project))
    settings = BenchSettings(
        loaded, tuple(sorted(set(sizes))), only, queries,
        dict(project.benchmark.accept) if project is not None else {}, seed,
        own_server(server, WHY), pg_version,
    )  # fmt: skip
    with interruptible("the benchmarks", "nothing is left of them; run the same command again"):
        document = run_benchmarks(settings, lambda line: click.echo(f"  {line}", err=True))
    if markdown is not None:
        _write_page(markdown, document, settings)
    answer(document, as_json, list(_lines(document)))
    sys.exit(ExitStatus.of(document.verdict == "pass"))


def _write_page(path: Path, document: BenchRunDocument, settings: BenchSettings) -> None:
    from datetime import UTC, datetime

    from harness.report.bench_run import bench_run_markdown
    from harness.report.comparison import write_report

    words = ["harness bench run", *(f"--rows {one}" for one in settings.sizes)]
    words += [f"--only {name}" for name in settings.only]
    page = bench_run_markdown(document, " ".join(words), datetime.now(UTC).date())
    write_report(path, page)


def _lines(document: BenchRunDocument) -> list[str]:
    """The document for a person."""
    lines = [f"{document.verdict}: {document.server}, {document.machine}, {document.seconds} s"]
    for one in document.benchmarks:
        beside = one.against or "before"
        ratio = f"  {one.ratio:5.2f} times {beside}" if one.ratio is not None else ""
        median, spread = one.seconds.median * 1000, one.seconds.spread * 1000
        lines.append(f"  {one.name:<32} {one.rows:>9,} {median:10.2f} ms ±{spread:.2f}{ratio}")
    lines += [
        f"  {one.name:<32} exponent {one.exponent}, {one.lower} to {one.upper}"
        for one in document.exponents
    ]
    return lines + [f"  {one.severity} {one.message}" for one in document.findings]
