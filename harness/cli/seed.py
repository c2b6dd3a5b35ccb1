"""`harness seed`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from harness.cli.options import answer, dsn_option, json_option, named


@click.command()
@dsn_option
@click.option(
    "--plan",
    "plan_path",
    envvar="HARNESS_PLAN",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="the plan whose rows they are, if not that of the project",
)
@json_option
@click.option("--rows", default=10_000, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", "number", default=1, show_default=True, type=click.IntRange(min=0))
@click.option(
    "--profile", type=click.Choice(["real", "clean", "hostile"]), default="real", show_default=True
)
def seed(
    dsn: str | None, plan_path: Path | None, as_json: bool, rows: int, number: int, profile: str
) -> None:
    """Fill the baseline with the subject's rows: same arguments, same rows."""
    from harness import plan
    from harness.observe.progress import bar
    from harness.subject.choice import seeder_of

    fill = seeder_of(plan.load(plan_path).name if plan_path else None)
    with bar("seed", "rows") as advance:
        report = fill(named(dsn), rows=rows, seed=number, profile=profile, progress=advance)
    answer(
        dataclasses.asdict(report),
        as_json,
        [f"seeded {report.rows:,} rows in {report.seconds:.2f} s"]
        + [f"  {table:<20}{count:>12,}" for table, count in report.tables.items()],
    )
