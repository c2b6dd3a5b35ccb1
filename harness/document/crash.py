"""crash.json: the ledger of a crash exploration, what had to be struck and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from harness.document.base import Document, FlawedDocument, Word
from harness.document.shard import ShardDocument

SCHEMA_VERSION: Final = 1  # raised when a key changes its meaning

Outcome = Literal["passed", "failed", "not fired", "missing", "doubled", "unexpected", "unknown"]
NoteOutcome = Literal["info", "failed", "unknown"]
Unset = msgspec.UnsetType
UNSET: Final = msgspec.UNSET


class PointDocument(Document, frozen=True, kw_only=True):
    """A point of the ledger: where it is, what was done there, and what came of it."""

    id: str
    domain: str
    direction: str
    step: str
    boundary: str
    fault: str
    fired: bool = False
    verdict: Word = "fail"
    state: str = ""
    reason: str
    evidence: str = ""
    seconds: float = 0.0
    outcome: Outcome
    replay: str


class FailureDocument(Document, frozen=True, kw_only=True):
    """Points that failed alike, shown by their earliest; `others` more, in so many `steps`.

    A note on undisturbed runs has the same shape, and its own outcomes.
    """

    id: str
    domain: str
    direction: str
    step: str
    boundary: str
    fault: str
    fired: bool | Unset = UNSET
    verdict: Word | Unset = UNSET
    state: str = ""
    reason: str
    evidence: str = ""
    seconds: float | Unset = UNSET
    outcome: Outcome | Literal["info"]
    replay: str
    file: str | Unset = UNSET
    points: int | Unset = UNSET
    others: int = 0
    steps: int = 1
    domains: Sequence[str] | Unset = UNSET
    faults: Sequence[str] | Unset = UNSET


class CountedDocument(Document, frozen=True, kw_only=True):
    """What was done, in numbers."""

    points: int
    fired: int
    states: int
    failed: int
    unknown: int
    seconds: float
    points_per_second: float | None = None


class AskedDocument(Document, frozen=True, kw_only=True):
    """What was to be explored; a ledger that does not say has no keys here."""

    domains: Sequence[str] | Unset = UNSET
    directions: Sequence[str] | Unset = UNSET
    faults: Sequence[str] | Unset = UNSET
    points: int | Literal["all"] | Unset = UNSET
    replay: str | Unset | None = UNSET


class NotSampled(Document, frozen=True, kw_only=True):
    """A step and a fault of which a sample took no point."""

    domain: str
    direction: str
    step: str
    fault: str
    points: int


class PointSampleDocument(Document, frozen=True, kw_only=True):
    """How many points of how many were struck."""

    struck: int
    of: int
    is_sample: bool
    not_sampled: Sequence[NotSampled] = ()


class NotApplicableDomain(Document, frozen=True, kw_only=True):
    """What a subject does not have, so that nothing can be struck there."""

    domain: str
    direction: str
    fault: str | Unset = UNSET
    reason: str


class CrashDocument(Document, frozen=True, kw_only=True):
    """A whole exploration."""

    schema_version: int
    verdict: Word
    points: int
    fired: int
    states: int
    failed: int
    unknown: int
    seconds: float
    points_per_second: float | None = None
    failures: Sequence[FailureDocument]
    unknowns: Sequence[FailureDocument]
    causes: Sequence[FailureDocument]
    notes: Sequence[FailureDocument] = ()
    domains: Mapping[str, CountedDocument]
    asked: AskedDocument
    enumerated: Mapping[str, Mapping[str, int]]
    sample: PointSampleDocument
    not_applicable: Sequence[NotApplicableDomain] = ()
    not_asked: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict)
    environment: Mapping[str, Any]
    steps: Sequence[str]
    cleanup_steps: Sequence[str] = ("(start)", "(end)")
    rows: Sequence[PointDocument]
    missing: Sequence[PointDocument]
    omitted: Mapping[str, Any] = msgspec.field(default_factory=dict)
    drawn: Sequence[str] = ()
    shard: ShardDocument | Unset = UNSET


def check_crash(document: CrashDocument) -> None:
    """Raise FlawedDocument where a ledger contradicts itself."""
    if len(document.steps) < 2:
        raise FlawedDocument("it does not begin and end", "$.steps")
    outcomes = {entry.outcome for entry in (*document.rows, *document.missing)}
    if document.verdict == "pass" and outcomes != {"passed"}:
        raise FlawedDocument("it is pass, but not all of its rows passed", "$.verdict")
