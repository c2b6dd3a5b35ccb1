"""harness verify: is the migrated database what it must be; nothing that is tried stays."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, dsn_option, json_option, named, plan_option
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.check.verify.run import Verification
    from harness.plan import Plan

SHOWN = 40  # lines of evidence and samples that a person is shown


@click.command()
@dsn_option
@plan_option
@json_option
@click.option(
    "--source",
    envvar="HARNESS_SOURCE",
    show_envvar=True,
    metavar="DSN|BACKUP",
    help="the database as it was before, or a directory of harness backup; only read",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--samples", type=click.IntRange(min=0), help="rows to show; by default what the plan says"
)
@click.option(
    "--page",
    "page_state",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="keep the verdict there, where harness page has its --state: only then is it at 100%",
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
    page_state: Path | None,
    contract: Path | None,
) -> None:
    """Judge the migrated database: rows, rules, search, old clients, security."""
    from harness import plan
    from harness.check import verify as checker
    from harness.core.errors import UsageError
    from harness.observe.progress import meter

    if contract is not None and source is None:
        raise UsageError("a contract compares with a source", hint="give --source")
    loaded = plan.load(plan_path)
    checker.load(loaded)  # files that cannot be read are refused before any database is touched
    target = named(dsn)
    state, reason = state_of(target, loaded)
    with meter("verify"), opened(source, target) as before:
        verification = checker.verify(
            target,
            loaded,
            state=state,
            reason=reason,
            source=before,
            source_state=state_of(before, loaded)[0] if before else None,
            seed=seed,
            count=samples,
            contract=contract,
        )
    if page_state is not None:
        _keep_for_page(page_state, target, loaded, verification)
    answer(verification.document(), as_json, _lines(verification))
    sys.exit(ExitStatus.of(verification.verdict == "pass"))


def _keep_for_page(directory: Path, dsn: str, plan: Plan, found: Verification) -> None:
    """Keep the verdict for the status page; a run that is not there has none."""
    from datetime import UTC, datetime

    from harness.core.errors import Refused
    from harness.people.page.reading import read_ledger
    from harness.people.page.verified import keep_verdict
    from harness.runner.watching import watching

    with watching(dsn) as conn:
        run = read_ledger(conn, plan).run
    if run is None or run.direction != "forward" or run.completed is None:
        raise Refused(
            "no run forward of this plan is completed: the page gets no verdict",
            hint="run harness migrate, then verify again",
        )
    keep_verdict(directory, found.verdict, run.key, datetime.now(UTC))


def state_of(dsn: str, plan: Plan) -> tuple[str, str | None]:
    """Where a database stands, and why; one whose clean-up is done is cleaned up."""
    from harness import runner
    from harness.check.verify.doubt import CLEANED

    found = runner.status(dsn, plan)
    cleaned = found.state == "migrated" and found.reason == "cleaned up"
    return CLEANED if cleaned else found.state, found.reason


@contextmanager
def opened(source: str | None, dsn: str) -> Iterator[str | None]:
    """DSN of the source: the one that is named, or that of a backup restored beside `dsn`."""
    from harness.check.verify import source as verify_source

    if source is None or not verify_source.is_backup(source):
        yield named(source) if source else None
        return
    with verify_source.restored(dsn, Path(source)) as copy:
        yield copy


def _lines(found: Verification) -> list[str]:
    against = "a source" if found.source == "given" else "the database itself"
    rows = sum(one.found for one in found.compared)
    lines = [f"verify: {found.verdict}"]
    if found.compared:
        right = sum(sample.right for sample in found.samples)
        lines.append(f"  {rows:,} rows of {len(found.compared)} relations against {against}")
        lines.append(f"  {found.checks} checks; {right} of {len(found.samples)} samples right")
    if found.security is not None:
        lines.append(f"  security: {found.security.verdict}")
    lines += [f"  not applicable: {one.check}: {one.reason}" for one in found.not_applicable]
    lines += _unproven(found)
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


def _unproven(found: Verification) -> list[str]:
    """Why the verdict is not pass, a reason a line with how many checks it stops."""
    reasons = Counter((one.reason, one.next) for one in found.unknowns)
    return [
        f"  unknown: {reason} ({count} checks); next: {following}"
        if count > 1
        else f"  unknown: {reason}; next: {following}"
        for (reason, following), count in reasons.items()
    ]
