"""`python -m tests.mutate_harness judge|map|check`: `make mutate-harness` and its map.

Exit status: 0 when every survivor is declared and the scores are reached, else 1.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from .covering import extend_map, flaws, make_map, read_map, write_map
from .judging import EFFORT
from .model import files, mutants_of
from .run import Declared, Settings, chosen, is_exhaustive, judge_all, read_declared
from .seen import killed_in, read_seen, still_there, write_seen

UNJUDGED: Final = 0.05  # the share of mutants whose tests may fail by themselves
CI_UNJUDGED: Final = 0.5  # there a test that fails by itself is another stage's to tell
WANTED: Final = {"exhaustive": 100.0, "sample": 95.0}


@click.group()
def cli() -> None:
    """Mutants of the harness's own Python, asked of the tests that cover them."""


@cli.command()
@click.option("--scope", type=click.Choice(["all", "exhaustive", "sample", "ci"]), default="all")
@click.option(
    "--only", default="", help="files that match, such as 'harness/runner/* harness/plan/*'"
)
@click.option("--seed", default=1, show_default=True)
@click.option("--shard", default="1/1", show_default=True, metavar="I/N")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(min=1))
@click.option("--seconds", type=click.FloatRange(min=1), help="begin no mutant after this time")
@click.option("--effort", type=click.FloatRange(min=0), default=EFFORT, show_default=True,
              help="seconds of a function's tests that are asked")  # fmt: skip
@click.option("--fresh", is_flag=True, help="forget what earlier runs found")
@click.option("--build", default="build/mutate-harness", type=click.Path(path_type=Path))
def judge(shard: str, **options: Any) -> None:
    """Judge mutants; what an earlier run saw killed is not asked again."""
    part, _, parts = shard.partition("/")
    settings = Settings(shard=(int(part), int(parts)), **options)

    def told(done: int, total: int, row: Mapping[str, Any]) -> None:
        if row["state"] == "unjudged":
            click.echo(f"  unjudged: {row['id']}\n    {row['by'][:300]}")
        elif row["state"] in ("survived", "unreached"):
            click.echo(f"  {row['state']}: {row['id']} (line {row['line']})\n    {row['change']}")
        elif done % 25 == 0:
            click.echo(f"  {done} of {total}")

    rows, total = judge_all(settings, told), len(chosen(settings))
    unjudged = UNJUDGED
    if settings.scope == "ci":
        unjudged, listed = CI_UNJUDGED, len(read_seen())
        click.echo(f"{listed} mutants are listed as seen; {listed - total} have other lines now")
    sys.exit(report(rows, total, read_declared(), unjudged))


def report(
    rows: Sequence[Mapping[str, Any]],
    total: int,
    declared: Mapping[str, Declared],
    unjudged: float = UNJUDGED,
) -> int:
    """Print the scores; returns the exit status."""
    lost = [row for row in rows if row["state"] in ("survived", "unreached")]
    excused = [row for row in lost if _declared(row, declared, "equivalent")]
    listed = [row for row in lost if _declared(row, declared, "survivor")]
    bad = [row for row in lost if row not in excused and row not in listed]
    status = 1 if bad else 0
    for scope, wanted in WANTED.items():
        of_scope = [
            r for r in rows if is_exhaustive(r["id"].split("::")[0]) == (scope == "exhaustive")
        ]
        counted = [row for row in of_scope if row not in excused and row["state"] != "unjudged"]
        seen = sum(row["state"] in ("killed", "hung") for row in counted)
        if counted:
            score = 100 * seen / len(counted)
            click.echo(
                f"{scope}: {seen} of {len(counted)} mutants seen, {score:.1f}% (wanted {wanted:g}%)"
            )
            status = status or int(score < wanted and not listed)
    states = Counter(row["state"] for row in rows)
    if not rows:
        click.echo("nothing was judged: nothing is known")
        status = 1
    if states["unjudged"] > unjudged * len(rows):
        click.echo("too many could not be judged: mend those tests, or make the map again")
        status = 1
    click.echo(
        f"{len(rows)} of {total} mutants tried: "
        + ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        + f"; {len(excused)} declared equivalent, {len(listed)} known survivors, {len(bad)} new"
    )
    for row in bad:
        click.echo(f"not declared: {row['id']}\n    {row['change']}")
    return status


def _declared(row: Mapping[str, Any], declared: Mapping[str, Declared], kind: str) -> bool:
    """Whether the mutant is declared, and still is the change that was read."""
    known = declared.get(row["id"])
    return known is not None and known.kind == kind and known.change == row["change"]


@cli.command("list")
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def list_seen(results: tuple[Path, ...]) -> None:
    """Add to the list of CI what these runs saw killed; drop what is not there any more."""
    seen = read_seen() | killed_in(results)
    write_seen({mutant.id: seen[mutant.id] for mutant in still_there(seen)})


@cli.command()
def scores() -> None:
    """Say, module by module, how many mutants are listed as seen or declared, as Markdown."""
    seen, declared = read_seen(), read_declared()
    click.echo("| module | mutants | killed | declared | not killed yet |")
    click.echo("| --- | ---: | ---: | ---: | ---: |")
    total = [0, 0, 0, 0]
    for path in files():
        names = {mutant.id for mutant in mutants_of(path)}
        killed, excused = names & seen.keys(), names & declared.keys()
        if names and (killed or excused or is_exhaustive(path)):
            row = [len(names), len(killed), len(excused), len(names - killed - excused)]
            total = [sum(pair) for pair in zip(total, row, strict=True)]
            click.echo(f"| {path} | {' | '.join(map(str, row))} |")
    click.echo(f"| together | {' | '.join(map(str, total))} |")


@cli.command("map")
@click.argument("traces", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--extend", is_flag=True, help="keep what the map knows of tests not traced here")
def make(traces: tuple[Path, ...], extend: bool) -> None:
    """Make the map of tests from the traces of a whole run, or extend it by those of a part."""
    made = make_map(traces)
    write_map(extend_map(read_map(), made) if extend else made)


@cli.command()
@click.argument("traces", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def check(traces: tuple[Path, ...]) -> None:
    """Hold the committed map against the traces of a whole run."""
    found = flaws(read_map(), make_map(traces))
    for flaw in found:
        click.echo(flaw)
    click.echo(f"{len(found)} flaws of the map")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    cli()
