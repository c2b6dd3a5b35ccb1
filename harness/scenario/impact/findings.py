"""Findings of an impact run: what a person must look at, with file, line and path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.artifact.file import RewrittenArtifact
from harness.artifact.proof.compare import QueryOutcome
from harness.artifact.text.tree import spell_path
from harness.core.finding import Finding, Severity
from harness.document.impact import QueryDocument

_SAID: Final[dict[str, tuple[Severity, str, str]]] = {
    "differs": (
        "critical",
        "the result differs",
        "correct the query, or say in the map, in [same], why it may",
    ),
    "cannot": ("critical", "the query cannot run", "correct the query"),
    "unknown": (
        "warning",
        "the query could not be judged",
        "give it one meaning: a value for each variable, a result that stays",
    ),
    "declared": ("info", "the result differs, as declared", ""),
}


def judged_findings(file: Path, query: QueryDocument, judged: QueryOutcome) -> Iterator[Finding]:
    """What came of a query, unless it is the same; a refusal is told by its place."""
    if query.outcome == "same" and query.reason:
        yield Finding(
            "impact-weak", "info", f"{file}:{query.line}", f"{query.path}: same: {query.reason}"
        )
    if query.outcome not in _SAID:
        return
    severity, said, hint = _SAID[query.outcome]
    yield Finding(
        f"impact-{query.outcome}",
        severity,
        f"{file}:{query.line}",
        f"{query.path}: {said}: {query.reason}",
        hint,
        "\n".join(judged.evidence),
    )


def refused_findings(file: Path, made: RewrittenArtifact) -> Iterator[Finding]:
    """What was left as it is, and what is for another database."""
    for one in made.refusals:
        yield Finding(
            "impact-refused",
            "critical",
            f"{file}:{one.line}",
            f"{one.place}: left as it is: {one.reason}",
            "rewrite it by hand, or give it one meaning",
        )
    for path, source in made.artifact.found.foreign:
        yield Finding(
            "impact-foreign",
            "info",
            str(file),
            f"{spell_path(path)}: it is for a data source of type {source!r}, and not looked at",
        )
    if made.artifact.found.expressions and not made.queries and made.edits:
        yield Finding(
            "impact-not-run",
            "info",
            str(file),
            f"{made.edits} places of PromQL were changed, which no database runs",
            "check the file with promtool, and that each series exists",
        )
