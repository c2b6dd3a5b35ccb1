"""`harness live`: the migration and the way back under traffic, on a server of its own."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from harness.cli.options import answer, json_option, plan_option
from harness.cli.run_options import (
    build_option,
    own_server,
    pg_version_option,
    rows_option,
    seed_option,
    server_option,
    shard_option,
)
from harness.cli.usage import Seconds
from harness.core.exit_status import ExitStatus
from harness.core.shard import Shard

OPERATIONS = click.FloatRange(min=0, max=100_000, min_open=True)


def _number(_context: click.Context, option: click.Parameter, given: float) -> float:
    if math.isnan(given):  # which is in every range
        raise click.BadParameter("nan is not a number", param=option)
    return given


@click.command()
@click.option("--dsn", hidden=True, help="refused: runners and servers are killed here")
@plan_option
@json_option
@click.option(
    "--writes",
    type=OPERATIONS,
    default=100,
    show_default=True,
    callback=_number,
    help="writes a second",
)
@click.option(
    "--reads",
    type=OPERATIONS,
    default=200,
    show_default=True,
    callback=_number,
    help="reads a second",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1, max=86_400),
    default=20,
    show_default=True,
    callback=_number,
    help="the time that the steps, forward and back, are spread over; more where they need it",
)
@rows_option(10_000, capped=True)
@seed_option
@click.option(
    "--max-wait",
    type=Seconds(),
    metavar="TIME",
    help="how long a client may wait for the locks of one step, all of them together"
    "  [default: max_wait of the plan]",
)
@click.option(
    "--acknowledged",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="again and again, until so many writes were acknowledged while a run was at work",
)
@click.option("--server-kills", is_flag=True, help="every second time the server is killed")
@shard_option
@server_option
@pg_version_option
@build_option
def live(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    writes: float,
    reads: float,
    seconds: float,
    rows: int,
    seed: int,
    max_wait: float | None,
    acknowledged: int,
    server_kills: bool,
    shard: Shard | None,
    server: str,
    pg_version: int | None,
    build: Path,
) -> None:
    """Migrate and roll back under traffic, with kills, and account for every write."""
    from harness import plan
    from harness.core.interrupt import interruptible
    from harness.core.jsonfile import write_json
    from harness.core.writable import refuse_unwritable
    from harness.document.base import to_builtins
    from harness.scenario.live import LiveSettings, run_live
    from harness.scenario.live.words import lines

    why = "an existing server is not put under traffic: runners and servers are killed here"
    server = own_server("existing" if dsn else server, why)
    settings = LiveSettings(
        plan.load(plan_path), writes=writes, reads=reads, seconds=seconds, rows=rows, seed=seed,
        server=server, pg_version=pg_version, max_wait=max_wait, acknowledged=acknowledged,
        server_kills=server_kills, shard=shard, build=build,
    )  # fmt: skip
    path = build / "live.json"
    refuse_unwritable(path)
    again = "nothing is left of it; run the same command again, it starts from the beginning"
    with interruptible("the run under traffic", again):
        document = run_live(settings, lambda line: click.echo(f"  {line}", err=True))
    write_json(path, to_builtins(document), indent=1)
    answer(document, as_json, list(lines(document)))
    sys.exit(ExitStatus.of(document.verdict == "pass"))
