"""Evidence that is counted: what a suite did, each thing by its name; and evidence of any kind."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.finding import Finding
from harness.document.base import Document, OpenDocument, Word
from harness.document.verdict import EvidenceCount


class CountedPart(Document, frozen=True, kw_only=True):
    """Some of the things that a suite did, and those that were to be done."""

    what: str
    done: Sequence[str]
    of: Sequence[str]
    sample: bool = False


class PartDocument(Document, frozen=True, kw_only=True):
    """What one test leaves; the parts of a suite are put together."""

    verdict: Word
    findings: Sequence[Finding]
    counted: Sequence[CountedPart]


class EvidenceDocument(OpenDocument, frozen=True, kw_only=True):
    """Evidence of a kind that nobody registered: it is judged by its words alone."""

    verdict: Word
    findings: Sequence[Finding]
    reason: str = ""
    counts: Sequence[EvidenceCount] = ()
