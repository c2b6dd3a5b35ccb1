"""A check for a person: what was assumed, the worst revisions first, the statement, the fix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.core.finding import Finding
from harness.document.check import CheckDocument, RevisionDocument, RevisionStatement

_RANK: Final = {"fail": 0, "unknown": 1, "pass": 2}
_MARK: Final = {"critical": "✗", "warning": "!", "info": "·"}
_ORDER: Final = {"critical": 0, "warning": 1, "info": 2}
_SHOWN: Final = 20


def lines(document: CheckDocument, *, verbose: bool = False) -> Iterator[str]:
    """The lines of a page that one reads in ten seconds; with `verbose` every finding."""
    counted = {word: sum(one.verdict == word for one in document.revisions) for word in _RANK}
    told = [one for one in document.revisions if verbose or one.verdict != "pass" or _loud(one)]
    for one in sorted(told, key=lambda one: _RANK[one.verdict])[: None if verbose else _SHOWN]:
        yield from _of_revision(one, verbose, document.like)
    if len(told) > _SHOWN and not verbose:
        yield f"… and {len(told) - _SHOWN} more revisions with findings: --verbose shows them"
    for why in document.unknowns:
        yield f"unknown: {why}"
    listed = ", ".join(f"{number} {word}" for word, number in counted.items() if number)
    yield (
        f"{document.verdict}: {len(document.revisions)} revisions ({listed or 'none'}),"
        f" {document.rows} rows a table, on {document.server}, in {document.seconds:.1f} s"
    )


def _loud(one: RevisionDocument) -> bool:
    return any(finding.severity != "info" for finding in one.findings)


def _of_growth(one: RevisionDocument, statement: RevisionStatement, like: int) -> Iterator[str]:
    held = ", ".join(f"{lock.mode} on {lock.relation}" for lock in statement.locks)
    yield (
        f"      at {like:,} rows about {statement.seconds_like:.1f} s:"
        f" {one.path}:{statement.line}{f', with {held}' if held else ''}"
    )


def _of_revision(one: RevisionDocument, verbose: bool, like: int | None) -> Iterator[str]:
    classes = f"  [{', '.join(one.classes)}]" if one.classes else ""
    yield f"{one.verdict:7} {one.name}{classes}"
    found = sorted(one.findings, key=lambda finding: _ORDER[finding.severity])
    for finding in found:
        if verbose or finding.severity != "info":
            yield from _of_finding(finding)
    for statement in one.statements:
        if like and statement.seconds_like is not None and (verbose or statement.seconds_like >= 1):
            yield from _of_growth(one, statement, like)
    if verbose:
        yield f"        back: {one.back}; killed and run again: {one.resumable}"


def _of_finding(finding: Finding) -> Iterator[str]:
    yield f"      {_MARK[finding.severity]} {finding.where}: {finding.message}"
    statement = finding.evidence.partition(" — ")[0]
    if statement and finding.where.rpartition(":")[2].isdigit() and len(statement) > 5:
        yield f"          {statement}"
    if finding.hint:
        yield f"          → {finding.hint}"
