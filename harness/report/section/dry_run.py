"""Evidence of a dry run: the timeline of its steps, and how far its estimate was off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET

from harness.document.dry_run import DryRunDocument
from harness.document.verdict import EvidenceCount
from harness.report.rendering import TEMPLATES
from harness.report.section.model import Claim, Section, Template, count_every
from harness.report.timeline import draw_timeline


def _counts(document: DryRunDocument) -> Iterable[EvidenceCount]:
    ways = [step.direction for step in document.steps]
    for way in ("forward", "rollback"):
        yield count_every(f"steps rehearsed {way}", ways.count(way))


def _figures(document: DryRunDocument) -> Mapping[str, Any]:
    error = document.estimate.error if document.estimate else None
    told = {"estimate_seconds": document.estimate_seconds, "estimate_error": error}
    if document.eta_error_percent is not UNSET:
        told["eta_error_percent"] = document.eta_error_percent
    return {name: value for name, value in told.items() if value is not None}


SECTION = Section(
    "dry_run",
    DryRunDocument,
    Claim("the plan runs on a copy and says what it locks", ("dry_run",), ("dry_run",)),
    Template(
        "Timeline of a run",
        TEMPLATES / "report_timeline.html.j2",
        "timeline",
        draw_timeline,
        menu="Timeline",
    ),
    required=True,
    counts=_counts,
    figures=_figures,
)
