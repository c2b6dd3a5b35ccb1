"""harness verify: is the migrated database what it must be; nothing that is tried stays."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.shared import answer, dsn_option, json_option, named, plan_option

if TYPE_CHECKING:
    from harness.check.verify import Verification

SHOWN = 40  # lines of evidence and samples that a person is shown


@click.command()
@dsn_option
@plan_option
@json_option
@click.option(
    "--source",
    envvar="HARNESS_SOURCE",
    show_envvar=True,
    help="the database as it was before: a restored backup or a clone; only read",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--samples", type=click.IntRange(min=0), help="rows to show; by default what the plan says"
)
@click.option(
    "--contract",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="ask the reads of this contract of both databases; needs --source",
)
def verify(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    source: str | None,
    seed: int,
    samples: int | None,
    contract: Path | None,
) -> None:
    """Judge the migrated database: rows, rules, search, old clients, security."""
    from harness import plan, runner
    from harness.check import verify as checker
    from harness.errors import UsageError

    if contract is not None and source is None:
        raise UsageError("a contract compares with a source", hint="give --source")
    loaded = plan.load(plan_path)
    found = runner.status(named(dsn), loaded)
    state = checker.CLEANED if found.reason == "cleaned up" else found.state
    verification = checker.verify(
        named(dsn),
        loaded,
        state=state,
        source=named(source) if source else None,
        seed=seed,
        count=samples,
        contract=contract,
    )
    answer(verification.document(), as_json, _lines(verification))
    sys.exit(0 if verification.verdict == "pass" else 1)


def _lines(found: Verification) -> list[str]:
    against = "a source" if found.source == "given" else "what the database keeps of before"
    rows = sum(one.found for one in found.compared)
    lines = [f"verify: {found.verdict}"]
    if found.compared:
        right = sum(sample.right for sample in found.samples)
        lines.append(f"  {rows:,} rows of {len(found.compared)} relations against {against}")
        lines.append(f"  {found.checks} checks; {right} of {len(found.samples)} samples right")
    if found.security is not None:
        lines.append(f"  security: {found.security.verdict}")
    for finding in found.findings:
        lines.append(f"{finding.severity}: {finding.where}: {finding.message} [{finding.id}]")
        evidence = finding.evidence.splitlines()
        lines += [f"    {line}" for line in evidence[:SHOWN]]
        if finding.hint:
            lines.append(f"    {finding.hint}")
    for sample in [one for one in found.samples if not one.right][:SHOWN]:
        for field in sample.fields:
            if not field.right:
                name = f"{sample.relation} {sample.key} {field.name}"
                lines.append(f"  sample {name}: {field.after!r}, must be {field.before!r}")
    return lines
