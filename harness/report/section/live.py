"""Evidence of a run under traffic: what was counted, and what it looked like over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.document.live import LiveDocument
from harness.document.verdict import EvidenceCount
from harness.report.rendering import TEMPLATES
from harness.report.section.model import Claim, Section, Template
from harness.report.traffic import draw_traffic


def _counts(document: LiveDocument) -> Iterable[EvidenceCount]:
    counts = document.history.counts
    acknowledged = counts.get("writes_acknowledged", 0)
    wrong = counts.get("lost", 0) + counts.get("doubled", 0)
    yield EvidenceCount("acknowledged writes accounted for", acknowledged - wrong, acknowledged)
    loaded = sum(step.loaded for step in document.steps)
    yield EvidenceCount("steps that met their users", loaded, len(document.steps))
    fired = sum(kill.fired for kill in document.kills)
    yield EvidenceCount("kills under traffic", fired, len(document.kills))


def _figures(document: LiveDocument) -> Mapping[str, Any]:
    return {
        "live_writes": document.history.counts.get("writes_acknowledged", 0),
        "live_longest_wait_ms": max((step.waited_ms for step in document.steps), default=0.0),
        "live_times": document.latency.verdict,
    }


SECTION = Section(
    "live",
    LiveDocument,
    Claim("under traffic no write is lost and nobody waits too long", ("live",), ("live",)),
    Template(
        "Under traffic",
        TEMPLATES / "report_live.html.j2",
        "live",
        draw_traffic,
        menu="Traffic",
    ),
    required=True,
    counts=_counts,
    figures=_figures,
)
