"""`harness impact`: what names the schema from outside, rewritten and proven on two clones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.command_options import chosen_subject, trust_option
from harness.cli.options import answer, json_option, named_plan_option
from harness.cli.run_options import (
    own_server,
    pg_version_option,
    rows_option,
    seed_option,
    server_option,
)
from harness.cli.usage import Seconds
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.document.impact import ImpactDocument
    from harness.subject.protocol import Subject

SHOWN = 40


@click.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dsn", hidden=True, help="refused: it is proven on databases of its own")
@named_plan_option
@trust_option
@json_option
@click.option("--write", is_flag=True, help="rewrite the files in place")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="write every artifact below this directory; the named paths stay as they are",
)
@click.option(
    "--map",
    "map_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="what a name means afterwards, in TOML: over what is learned, and over impact.toml",
)
@click.option("--show-map", is_flag=True, help="print the map, in the form that --map takes")
@click.option("--back", is_flag=True, help="from the schema after to the one before")
@click.option("--role", metavar="NAME", help="who runs the queries; else one who may read all")
@click.option(
    "--timeout",
    type=Seconds(),
    default="10s",
    show_default=True,
    metavar="TIME",
    help="how long a query may run",
)
@rows_option(1000, least=0, capped=True)
@seed_option
@server_option
@pg_version_option
def impact(
    paths: tuple[Path, ...],
    dsn: str | None,
    plan_path: Path | None,
    trust_command: bool,
    as_json: bool,
    write: bool,
    out: Path | None,
    map_path: Path | None,
    show_map: bool,
    back: bool,
    role: str | None,
    timeout: float,
    rows: int,
    seed: int,
    server: str,
    pg_version: int | None,
) -> None:
    """Find, rewrite and prove dashboards, alerts, rules and reports that name the schema.

    Each query runs on a clone before the migration, the rewritten one on a clone after it. What
    names the schema in the database itself (functions, jobs, publications, webhook triggers) is
    tried on both; without a PATH only that.
    """
    if write and out is not None:
        raise UsageError("--write and --out are two places", hint="leave one of them out")
    server = own_server("existing" if dsn else server, "it is proven on clones of its own")
    from harness.artifact.mapfile import write_map
    from harness.core.interrupt import interruptible
    from harness.scenario.impact.run import ImpactSettings, run_impact

    settings = ImpactSettings(
        subject=_subject(plan_path, trust_command),
        paths=paths,
        write=write,
        out=out,
        map_path=map_path,
        back=back,
        role=role,
        rows=rows,
        seed=seed,
        server=server,
        pg_version=pg_version,
        timeout=timeout,
    )
    again = "no file was written; run the same command again"
    with interruptible("the look at the artifacts", again):
        document = run_impact(settings)
    lines = [write_map(document.map)] if show_map else list(told(document))
    answer(document, as_json, lines)
    sys.exit(ExitStatus.of(document.verdict == "pass"))


def told(document: ImpactDocument) -> Iterator[str]:
    """A run as a person reads it: the verdict, the findings, the files."""
    counts = document.counts
    queries = ", ".join(
        f"{counts[word]} {word}"
        for word in ("same", "declared", "differs", "cannot", "refused", "unknown")
        if counts.get(word)
    )
    inside = Counter(one.outcome for one in document.inside)
    within = ", ".join(f"{count} {word}" for word, count in sorted(inside.items()))
    yield f"impact: {document.verdict}: {queries or 'no query was found'}"
    yield f"  in the database: {within or 'nothing names the schema'}"
    if document.api is not None:
        changed = ", ".join(
            f"{count} {word}" for word, count in sorted(document.api.counts.items())
        )
        yield f"  in the API of schema {document.api.schema}: {changed or 'nothing changes'}"
    for finding in document.findings:
        if finding.severity == "info":
            continue
        yield f"  {finding.severity}: {finding.where}: {finding.message}"
        for line in finding.evidence.splitlines():
            yield f"      {line}"
        if finding.hint:
            yield f"    {finding.hint}"
    rest = [one for one in document.findings if one.severity == "info"]
    for finding in rest[:SHOWN]:
        yield f"  info: {finding.where}: {finding.message}"
    if len(rest) > SHOWN:
        yield f"  and {len(rest) - SHOWN} more of info"
    for one in document.artifacts:
        to = f", written to {one.written}" if one.written else ""
        yield f"  {one.file}: {one.kind}, {len(one.queries)} queries, {one.edits} edits{to}"
    yield f"impact: {document.verdict}, {counts['artifacts']} artifacts, {counts['edits']} edits"


def _subject(plan_path: Path | None, trusted: bool) -> Subject:
    from harness import plan
    from harness.subject.choice import subject_of

    chosen = chosen_subject(plan_path, trusted=trusted)
    return subject_of(plan.load(chosen)) if isinstance(chosen, Path) else chosen
