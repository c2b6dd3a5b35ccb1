"""Evidence of validation: the source rows fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.finding import Finding
from harness.document.validate import ValidateDocument
from harness.document.verdict import EvidenceCount
from harness.report.section.model import Claim, Section, count_every


def _findings(document: ValidateDocument) -> Sequence[Finding]:
    return [
        Finding(one.id, one.severity, one.where, one.message, one.hint, one.evidence)
        for one in document.findings
    ]


def _counts(document: ValidateDocument) -> Iterable[EvidenceCount]:
    yield count_every("checks of the source's rows", len(document.checks))


def _figures(document: ValidateDocument) -> Mapping[str, Any]:
    return {"warning_percent": document.warning_percent}


SECTION = Section(
    "validate",
    ValidateDocument,
    Claim("the source rows fit what the target demands", ("validation",), ("validate",)),
    required=True,
    findings=_findings,
    counts=_counts,
    figures=_figures,
)
