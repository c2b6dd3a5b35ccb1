"""`harness validate`: may this plan start on this database, and are its rows fit to migrate."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import answer, database_command, named
from harness.core.errors import UsageError
from harness.core.exit_status import ExitStatus

if TYPE_CHECKING:
    from harness.check.validate.run import CheckFinding, Validation
    from harness.core.finding import Finding

UNITS = {"": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(|kB|MB|GB|TB)")


@database_command
@click.option(
    "--checks",
    "directories",
    multiple=True,
    type=click.Path(path_type=Path),
    help="a directory of check files of your own; may be repeated",
)
@click.option("--free-disk", metavar="SIZE", help="free on the server's disk, such as 20GB")
@click.option(
    "--estimate",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="a saved dry run: an estimate longer than the window beside the plan is refused",
)
def validate(
    dsn: str | None,
    plan_path: Path,
    as_json: bool,
    directories: tuple[Path, ...],
    free_disk: str | None,
    estimate: Path | None,
) -> None:
    """Judge the source's rows and the server before the plan runs; nothing is written."""
    from harness import plan, runner
    from harness.check.preflight.run import DatabaseStanding
    from harness.check.validate.run import checks_of
    from harness.check.validate.run import validate as run
    from harness.observe.progress import meter

    free = _bytes(free_disk)
    loaded = plan.load(plan_path)
    told = _overrun(loaded.path, estimate)
    checks_of(loaded, directories)  # bad files are refused before anything is asked
    target = named(dsn)
    status = runner.status(target, loaded)
    standing = DatabaseStanding(status.state, status.reason, status.run, status.step)
    with meter("validate"):
        found = run(target, loaded, standing, more=directories, free_bytes=free, told=told)
    answer(found.document(), as_json, list(_lines(found)))
    sys.exit(ExitStatus.of(found.verdict == "pass"))


def _overrun(plan: Path, estimate: Path | None) -> list[Finding]:
    """That the migration takes longer than its window, by a saved dry run."""
    from harness.scenario.dry_run.estimate import read
    from harness.scenario.dry_run.planned import find_overrun, read_planned

    window = read_planned(plan)
    if estimate is None:
        return []
    return find_overrun("preflight.window", read(estimate), window)


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    match = SIZE.fullmatch(text.strip())
    if not match:
        raise UsageError(f"--free-disk takes a size, not {text!r}", hint="such as --free-disk 20GB")
    return int(float(match[1]) * UNITS[match[2]])


def _lines(found: Validation) -> list[str]:
    lines = [f"state: {found.preflight.standing.state}"]
    for one in found.found:
        lines += _finding_lines(one)
    for unknown in found.unlooked:
        lines.append(f"  unknown: {unknown.where}: {unknown.message}; next: {unknown.hint}")
    for part, reason in found.rules.without.items():
        lines.append(f"  not applicable: {part}: {reason}")
    warned = [relation for relation in found.relations if relation.warned]
    for relation in warned:
        lines.append(
            f"  {relation.name}: {relation.warned:,} of {relation.rows:,} rows with warnings"
            f" ({relation.percent:g}%, NO-GO from {found.rules.warning_percent:g}%)"
        )
    counts = [
        f"{sum(one.finding.severity == severity for one in found.found)} {severity}"
        for severity in ("critical", "warning", "info")
    ]
    lines.append(f"{found.verdict}: {len(found.checks)} checks, {', '.join(counts)}")
    return lines


def _finding_lines(one: CheckFinding) -> list[str]:
    finding = one.finding
    lines = [f"  {finding.severity}: {finding.id}: {finding.where}: {finding.message}"]
    if finding.severity == "info":  # one line each: --json has the rows and the clean-up
        return lines
    if finding.evidence:
        lines.append(f"    {finding.evidence[:300]}")
    return lines + [f"    {line}" for line in finding.hint.splitlines()]
