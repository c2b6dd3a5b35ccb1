"""Evidence of verify: relations compared row by row, and samples for a person to read."""

from __future__ import annotations

from collections.abc import Iterable

from harness.document.verdict import EvidenceCount
from harness.document.verify import VerifyDocument
from harness.report.rendering import TEMPLATES
from harness.report.section.model import Claim, Section, Template, count_every


def _counts(document: VerifyDocument) -> Iterable[EvidenceCount]:
    right = [one for one in document.relations if one.verdict == "pass"]
    yield EvidenceCount("relations compared row by row", len(right), len(document.relations))
    yield count_every("rows compared", sum(one.rows for one in right))
    yield count_every("sampled rows shown", len(document.samples))


SECTION = Section(
    "verify",
    VerifyDocument,
    Claim("no row is lost or changed", ("verify",), ("verify",)),
    Template("Samples to read", TEMPLATES / "report_samples.html.j2", "samples", menu="Samples"),
    required=True,
    counts=_counts,
)
