"""What `harness check` found: every revision of a tree, judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core.finding import Finding
from harness.document.base import Document, Word


class TakenLock(Document, frozen=True, kw_only=True):
    """A lock that kept others waiting, on a relation that was there before, and for how long."""

    relation: str
    mode: str
    line: int
    seconds: float


class RevisionStatement(Document, frozen=True, kw_only=True):
    """A statement that did something to relations that were there before it.

    `seconds_like` is what it would take at the rows of production, where that was asked for.
    """

    line: int
    text: str
    seconds: float
    locks: Sequence[TakenLock]
    rewrites: Sequence[str]
    scans: Mapping[str, int]
    changes: Mapping[str, int]
    seconds_like: float | None


class RevisionDocument(Document, frozen=True, kw_only=True):
    """One revision: `classes` are those of what its way back, or its second run, left different."""

    name: str
    path: str
    verdict: Word
    classes: Sequence[str]
    findings: Sequence[Finding]
    back: str
    differences: Sequence[str]
    lost_rows: Mapping[str, int]
    statements: Sequence[RevisionStatement]
    resumable: str
    seconds: float


class CheckDocument(Document, frozen=True, kw_only=True):
    """The whole tree; `unknowns` say what could not be judged, and why."""

    verdict: Word
    layout: str
    root: str
    server: str
    assumed: Sequence[str]
    revisions: Sequence[RevisionDocument]
    unknowns: Sequence[str]
    rows: int
    like: int | None
    seconds: float
