"""Evidence of benchmarks: what queries cost before and after, in counts that no clock changes."""

from __future__ import annotations

from collections.abc import Iterable

from harness.document.benchmark import BenchmarkDocument
from harness.document.verdict import EvidenceCount
from harness.report.section.model import Claim, Section


def _counts(document: BenchmarkDocument) -> Iterable[EvidenceCount]:
    """What the catalog asks and the migrated database refuses is no longer asked, by its leave."""
    asked = [
        one
        for one in document.queries
        if one.before is not None and (one.after is not None or one.source != "catalog")
    ]
    if asked:
        held = sum(one.after is not None for one in asked)
        yield EvidenceCount("queries counted before and after", held, len(asked))


SECTION = Section(
    "benchmark",
    BenchmarkDocument,
    Claim(
        "queries find their indexes, and read and write no more than allowed",
        ("benchmark",),
        ("benchmark",),
    ),
    required=True,
    counts=_counts,
)
