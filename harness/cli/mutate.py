"""`harness mutate`: small defects in the plan, one at a time, that its checks must see."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, json_option, plan_option
from harness.cli.run_options import (
    costs_option,
    own_server,
    pg_version_option,
    scheduler_option,
    seed_option,
    server_option,
    shard_option,
    workers_option,
)
from harness.core.exit_status import ExitStatus
from harness.core.shard import Shard

if TYPE_CHECKING:
    from harness.document.costs import Costs
    from harness.document.mutate import MutateDocument
    from harness.scenario.mutate.model import MutantResult
    from harness.scenario.mutate.run import MutateSettings


@click.command()
@click.option("--dsn", hidden=True, help="refused: mutants run on servers of their own")
@plan_option
@json_option
@click.option("--sample", type=click.IntRange(min=1), help="so many mutants, drawn by --seed")
@seed_option
@click.option("--only", default="", metavar="TEXT", help="mutants whose id holds this text")
@click.option("--judge", metavar="MODULE:FUNCTION", help="the checks, if not those of this project")
@server_option
@pg_version_option
@workers_option(3, "one more than two cores, since some wait")
@click.option(
    "--equivalents",
    "declared",
    is_flag=True,
    help="run the declared equivalents instead: a check that sees one refutes it",
)
@shard_option
@costs_option
@scheduler_option
@click.option("--out", type=click.Path(path_type=Path), help="a file for the document besides")
@click.option("--least", type=click.FloatRange(0, 100), default=98.0, show_default=True)
def mutate(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    sample: int | None,
    seed: int,
    only: str,
    judge: str | None,
    server: str,
    pg_version: int | None,
    workers: int,
    declared: bool,
    shard: Shard | None,
    costs: Costs,
    scheduler: str | None,
    out: Path | None,
    least: float,
) -> None:
    """Run statement mutants of the plan against its checks; print every survivor."""
    server = own_server("existing" if dsn else server, "mutants are not run on a named database")
    from harness.core.interrupt import interruptible
    from harness.core.jsonfile import write_json
    from harness.core.writable import refuse_unwritable
    from harness.document.base import to_builtins
    from harness.observe.progress import bar
    from harness.scenario.mutate.run import MutateSettings, words

    sys.path.insert(0, str(Path.cwd()))  # the judge is the project's, not the harness's
    settings = MutateSettings(
        plan=plan_path,
        sample=sample,
        seed=seed,
        only=only,
        judge=judge or "",
        server=server,
        pg_version=pg_version,
        workers=workers,
        least=least,
        declared=declared,
        shard=shard,
        costs=costs,
    )
    if out is not None:
        refuse_unwritable(out, "name another --out")
    again = "nothing is left of it; run the same command again, it starts from the beginning"
    with interruptible("the run of the mutants", again), bar("mutate", "mutants") as advance:
        document = _judged(settings, scheduler, advance)
    if out is not None:
        write_json(out, to_builtins(document))
    answer(document, as_json, words(document))
    sys.exit(ExitStatus.of(document.verdict == "pass"))


def _judged(
    settings: MutateSettings, scheduler: str | None, advance: Callable[[str, int, int], None]
) -> MutateDocument:
    from harness.scenario.mutate.run import run

    def told(last: MutantResult, done: int, total: int) -> None:
        advance(last.mutant.step, done, total)

    if scheduler is not None:
        from harness.scenario.cluster.run import mutate_on

        return mutate_on(scheduler, settings, told)
    return run(settings, told)
