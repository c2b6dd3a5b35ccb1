"""`harness seed`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from harness.cli.options import answer, dsn_option, json_option, named
from harness.cli.run_options import rows_option, seed_option
from harness.core.exit_status import ExitStatus


@click.command("seed")
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
@rows_option(10_000)
@seed_option
@click.option(
    "--profile", type=click.Choice(["real", "clean", "hostile"]), default="real", show_default=True
)
def seed_database(
    dsn: str | None,
    plan_path: Path | None,
    as_json: bool,
    rows: int,
    seed: int,
    profile: str,
) -> int:
    """Fill the baseline with rows: same arguments, same rows.

    The subject's rows, or, where it has none, rows made from the catalog.
    """
    from harness import plan
    from harness.database import admin
    from harness.observe.progress import bar
    from harness.rows import PartlyFilled
    from harness.subject.choice import seeder_of

    with admin.connection(named(dsn)) as conn:
        admin.refuse_standby(conn)
    fill = seeder_of(plan.load(plan_path).name if plan_path else None, fresh=True)
    try:
        with bar("seed", "rows") as advance:
            report = fill(named(dsn), rows=rows, seed=seed, profile=profile, progress=advance)
    except PartlyFilled as error:
        document = {**dataclasses.asdict(error.filled), "error": error.message}
        answer(document, as_json, _lines(error.filled))
        click.echo(f"error: {error}", err=True)
        return ExitStatus.FAILED
    answer(dataclasses.asdict(report), as_json, _lines(report))
    return ExitStatus.DONE


def _lines(report: Any) -> list[str]:
    """What was made, for a person."""
    width = max([20, *map(len, report.tables)])
    lines = [f"seeded {report.rows:,} rows in {report.seconds:.2f} s"]
    lines += [f"  {table:<{width}}{count:>12,}" for table, count in report.tables.items()]
    for short in getattr(report, "limited", ()):
        room = f"room for {short.rows:,} rows, {short.wanted:,} were asked for"
        lines.append(f"  {short.table}: {short.constraint} leaves {room}")
    return lines + [f"  {note}" for note in getattr(report, "notes", ())]
