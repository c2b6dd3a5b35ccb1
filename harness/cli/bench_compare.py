"""`harness bench compare`: two refs side by side, and exit 1 only for a slowdown seen twice."""

from __future__ import annotations

import sys
from pathlib import Path

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
from harness.core.exit_status import ExitStatus


@click.command("compare")
@click.argument("base")
@click.argument("head")
@json_option
@click.option(
    "--only", multiple=True, metavar="NAME",
    help="this benchmark, however long it takes; may be given again",
)  # fmt: skip
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
    rows: int,
    seed: int,
    server: str,
    pg_version: int | None,
    build: Path,
) -> None:
    """Compare the benchmarks of two git refs, in pairs of runs that take turns.

    Each ref is installed apart and gets fresh servers. Exit 1 only for a slowdown that was measured
    and confirmed.
    """
    from harness.core.interrupt import interruptible
    from harness.core.jsonfile import write_json
    from harness.core.writable import refuse_unwritable
    from harness.document.base import to_builtins
    from harness.scenario.bench.compare.judge import comparison_lines
    from harness.scenario.bench.compare.run import ComparisonSettings, run_comparison

    path = build / "comparison.json"
    refuse_unwritable(path)
    settings = ComparisonSettings(
        base, head, rows, seed, only=only, pg_version=pg_version,
        server=own_server(server, "an existing server is not compared on: servers are made anew"),
    )  # fmt: skip
    again = "nothing is left of it; run the same command again, it starts from the beginning"
    with interruptible("the comparison", again):
        document, _ = run_comparison(settings, lambda line: click.echo(f"  {line}", err=True))
    write_json(path, to_builtins(document), indent=1)
    answer(document, as_json, list(comparison_lines(document)))
    sys.exit(ExitStatus.of(document.verdict != "fail"))
