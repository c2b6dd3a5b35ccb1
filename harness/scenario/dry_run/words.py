"""A dry run as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from harness.core.finding import Finding
from harness.core.quantity import duration, size
from harness.database.locks import words_of_mode
from harness.document.dry_run import CopyDocument, DryRunDocument, LockDocument, StepDocument
from harness.scenario.dry_run.squawk import NOTHING

SHOWN: Final = 8
"""How many good-to-know findings and steps a person sees, and of each kind of evidence lines."""


def lines(document: DryRunDocument, *, verbose: bool = False) -> Iterator[str]:
    """The verdict first and last; between them the worst first, then what takes and stops longest.

    With `verbose` everything.
    """
    verdict = f"dry run: {document.verdict}"
    yield verdict + _copied(document.copy)
    yield from _findings(document.findings, verbose)
    expected = {"forward": document.estimate_seconds, "rollback": document.rollback_seconds}
    for direction, seconds in expected.items():
        if seconds is not None:
            yield f"  {direction}: {seconds:.2f} s {_where(document.copy)}"
            yield from _steps(document.steps, direction, verbose)
    way_back = document.way_back
    if way_back.equal is not None:
        found = "as before" if not way_back.unexplained else "NOT as before"
        if found == "as before" and not way_back.equal:
            found += ", but for what irreversible steps leave"
        yield f"  after the rollback everything is {found}"
    yield verdict if verbose else f"{verdict}; --verbose shows every step, lock and lint"


def _findings(findings: Sequence[Finding], verbose: bool) -> Iterator[str]:
    told = findings if verbose else [one for one in findings if one.severity != "info"]
    for finding in told:
        yield f"  {finding.severity}: {finding.where}: {finding.message}"
        evidence = finding.evidence.splitlines()
        for line in evidence if verbose else evidence[:SHOWN]:
            yield f"      {line}"
        if finding.hint:
            yield f"    {finding.hint}"
    rest = [one for one in findings if one.severity == "info"] if not verbose else []
    for finding in rest[:SHOWN]:
        yield f"  info: {finding.where}: {finding.message}"
    if len(rest) > SHOWN:
        yield f"  and {len(rest) - SHOWN} more of info"


def _where(copy: CopyDocument | None) -> str:
    """What the time is that of: an estimate speaks of the server that it was taken on."""
    if copy is None or copy.how != "elsewhere":
        return "to expect"
    return f"on a server of our own ({copy.server}); yours may take longer or less"


def _copied(copy: CopyDocument | None) -> str:
    if copy is None:
        return ""
    return f", on a copy of {size(copy.bytes)} made in {duration(copy.seconds)} ({copy.how})"


def _steps(steps: Sequence[StepDocument], direction: str, verbose: bool) -> Iterator[str]:
    told = [step for step in steps if step.direction == direction]
    if not verbose:
        worst = sorted(told, key=_longest, reverse=True)[:SHOWN]
        told = [step for step in told if step in worst]
    for step in told:
        yield (
            f"    {step.id:<36}{duration(step.seconds):>12}{step.rows:>10,} rows"
            f"{size(step.wal_bytes):>10} WAL"
            + (f"{size(step.temp_bytes):>10} temp" if step.temp_bytes else "")
        )
        stopped = [lock for lock in step.locks if lock.stops]
        if not verbose:
            stopped = sorted(stopped, key=lambda one: -one.seconds)[:1]
        yield from _stopped(stopped)
        for lint in step.squawk if verbose else ():
            if lint.happened != NOTHING:
                yield f"        squawk {lint.rule}, line {lint.line}: {lint.happened}"


def _longest(step: StepDocument) -> tuple[float, float]:
    """How long a step stops users, then how long it takes."""
    stopped = [lock.seconds for lock in step.locks if lock.stops]
    return max(stopped, default=0.0), step.seconds


def _stopped(locks: Sequence[LockDocument]) -> Iterator[str]:
    for lock in locks:
        held = f"{words_of_mode(lock.mode)} on {lock.relation}"
        more = ", written anew" if lock.rewrites else ""
        more += f", {lock.rows_read:,} rows read" if lock.rows_read else ""
        wait = f"{lock.stops} wait at most {lock.seconds * 1000:.1f} ms"
        yield f"        {held}: {wait}{more}"
