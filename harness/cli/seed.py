"""`harness seed`."""

from __future__ import annotations

import dataclasses

import click

from harness.cli.options import (
    answer,
    dsn_option,
    json_option,
    named,
    unused_plan_option,
)


@click.command()
@dsn_option
@unused_plan_option
@json_option
@click.option("--rows", default=10_000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", "number", default=1, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--profile", type=click.Choice(["real", "clean", "hostile"]), default="real", show_default=True
)
def seed(dsn: str | None, as_json: bool, rows: int, number: int, profile: str) -> None:
    """Fill the baseline with synthetic rows: same arguments, same rows."""
    from fixtures.seed import load
    from harness.observe.progress import bar

    with bar("seed", "rows") as advance:
        report = load(named(dsn), rows=rows, seed=number, profile=profile, progress=advance)
    answer(
        dataclasses.asdict(report),
        as_json,
        [f"seeded {report.rows:,} rows in {report.seconds:.2f} s"]
        + [f"  {table:<20}{count:>12,}" for table, count in report.tables.items()],
    )
