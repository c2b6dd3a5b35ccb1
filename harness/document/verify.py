"""What verify leaves: relations compared, samples to read, and what stays unknown."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.finding import Finding
from harness.document.base import Document, Word


class RelationDocument(Document, frozen=True, kw_only=True):
    """One comparison of rows."""

    relation: str
    id: str
    expected: int
    rows: int
    wrong: int
    verdict: Word


class UnknownDocument(Document, frozen=True, kw_only=True):
    """A check that proves nothing: why, and what to do so that it does."""

    check: str
    where: str
    reason: str
    next: str
    message: str = ""


class NotApplicableDocument(Document, frozen=True, kw_only=True):
    """A part that this database or this plan does not have."""

    check: str
    reason: str


class FieldDocument(Document, frozen=True, kw_only=True):
    """One field of a sample: what it must be beside what it is."""

    name: str
    before: str | None
    after: str | None
    right: bool


class RowSampleDocument(Document, frozen=True, kw_only=True):
    """One row of the source and what became of it."""

    relation: str
    key: str
    fields: Sequence[FieldDocument]
    right: bool


class UnmadeDocument(Document, frozen=True, kw_only=True):
    """A verification that could not be made, and what to do next."""

    verdict: Word
    reason: str
    next: str


class VerifyDocument(Document, frozen=True, kw_only=True):
    """A whole verification."""

    verdict: Word
    state: str
    source: str
    seed: int
    checks: int
    relations: Sequence[RelationDocument]
    security: str
    unknowns: Sequence[UnknownDocument]
    not_applicable: Sequence[NotApplicableDocument]
    findings: Sequence[Finding]
    samples: Sequence[RowSampleDocument]
