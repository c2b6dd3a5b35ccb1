"""The look inside the database: every artifact in it, what is declared of it, and the findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from harness.artifact.inside.model import DatabasePair, InsideArtifact
from harness.artifact.inside.registry import list_inside_kinds
from harness.artifact.mapfile import Declaration
from harness.core.finding import Finding, Severity
from harness.document.impact import InsideDocument

UNUSED: Final = ("foreign key", "upsert")
_SAID: Final = {
    "silent": "goes silent",
    "differs": "does something else",
    "cannot": "stops working",
    "unknown": "could not be judged",
}


def look_inside(pair: DatabasePair, declared: Declaration) -> list[InsideDocument]:
    """Every artifact in the database before, judged on both; what is tried is taken back.

    What [same] of the map names, as `kind name`, is declared.
    """
    return [
        _document(one, declared.same.get(one.key))
        for kind in list_inside_kinds()
        for one in kind.find(pair)
    ]


def _document(one: InsideArtifact, declared: str | None) -> InsideDocument:
    accepted = declared is not None and one.outcome != "same"
    reason = f"{one.reason}; declared: {declared}" if accepted else one.reason
    return InsideDocument(
        kind=one.kind,
        name=one.name,
        outcome="declared" if accepted else one.outcome,
        reason=reason,
        statement=one.statement,
        sqlstate=one.sqlstate,
        evidence=one.evidence,
        hint=one.hint,
        severity="info" if accepted else _severity(one),
    )


def _severity(one: InsideArtifact) -> Severity | None:
    if one.outcome == "same":
        return None
    if not one.used:
        return "info"
    return "warning" if one.outcome == "unknown" else "critical"


def inside_findings(found: Sequence[InsideDocument], *, alone: bool) -> Iterator[Finding]:
    """What a person must look at, with the statement that shows it.

    Names on which nobody is known to depend are told where nothing else was asked for (`alone`).
    """
    for one in found:
        if one.severity is None or (one.kind in UNUSED and not alone):
            continue
        said = _SAID.get(one.outcome, "changes, as declared")
        yield Finding(
            f"impact-{one.kind.replace(' ', '-')}",
            one.severity,
            f"database: {one.kind} {one.name}",
            f"it {said}: {one.reason}",
            one.hint,
            "\n".join([one.statement, *one.evidence]),
        )
