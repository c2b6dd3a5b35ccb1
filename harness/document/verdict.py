"""verdict.json: GO or NO-GO, what it rests on, and what exactly was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from harness.core.finding import Finding
from harness.document.base import Document, Word
from harness.document.shard import ShardDocument

Unset = msgspec.UnsetType
UNSET: Final = msgspec.UNSET
SCHEMA: Final = 3  # raised when a key changes its meaning


class SuiteDocument(Document, frozen=True, kw_only=True):
    """One suite. A test that was skipped or left out proves nothing."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    left_out: int = 0
    verdict: Word


class EvidenceCount(Document, frozen=True):
    """`done` of `of` things: all of them, or a sample that says that it is one."""

    what: str
    done: int
    of: int
    sample: bool = False

    @property
    def whole(self) -> bool:
        """Whether everything was done that was to be."""
        return bool(self.done) and (self.done >= self.of or self.sample)

    def __str__(self) -> str:
        some = ", a sample" if self.done < self.of and self.sample else ""
        return f"{self.done:,} of {self.of:,} {self.what}{some}"


class ExhibitDocument(Document, frozen=True, kw_only=True):
    """One kind of evidence: what it says, and why when that is not pass."""

    name: str
    verdict: Word
    reason: str
    counts: Sequence[EvidenceCount] = ()


class NotApplicable(Document, frozen=True):
    """A suite that did not run because the subject has no such part: why."""

    name: str
    reason: str


class RowDocument(Document, frozen=True, kw_only=True):
    """One row that shows a cause: a column before and after the migration."""

    relation: str
    key: str
    column: str
    before: str
    after: str


class CauseDocument(Document, frozen=True, kw_only=True):
    """A cause of NO-GO, and what lies beneath: findings by their ids, tests by their node ids."""

    sentence: str
    step: str = ""
    file: str = ""
    row: RowDocument | None = None
    findings: Sequence[str] = ()
    tests: Sequence[str] = ()
    replay: str = ""


class JudgedPlan(Document, frozen=True, kw_only=True):
    """Which plan was judged."""

    name: str
    version: str
    hash: str


class JudgedSeed(Document, frozen=True, kw_only=True):
    """Which rows; `hash` is of what made them, `tables` how many each table had."""

    rows: int
    seed: int
    profiles: Sequence[str] = ()
    hash: str
    tables: Mapping[str, int] | Unset = UNSET


class JudgedTool(Document, frozen=True, kw_only=True):
    """By which harness, with which suites."""

    name: str
    version: str
    hash: str
    suites_hash: str | Unset = UNSET


class JudgedSettings(Document, frozen=True, kw_only=True):
    """What a plan may change between runs, and the checks that it switched off."""

    runner: Mapping[str, Any]
    switched_off: Sequence[str] = ()


class SourceDocument(Document, frozen=True, kw_only=True):
    """The database as it was before; where none could be made, no key says anything.

    The server's major version, and its objects by part: name -> attributes as JSON text.
    """

    postgres: int | Unset = UNSET
    objects: Mapping[str, Mapping[str, str]] | Unset = UNSET


class VerdictDocument(Document, frozen=True, kw_only=True):
    """The whole verdict. `figures` and `environment` are for people; nothing is decided by them."""

    schema: int
    verdict: Literal["GO", "NO-GO"]
    reasons: Sequence[str]
    causes: Sequence[CauseDocument] = ()
    suites: Sequence[SuiteDocument]
    evidence: Sequence[ExhibitDocument]
    findings: Sequence[Finding]
    unknowns: Sequence[str]
    not_applicable: Sequence[NotApplicable] | Unset = UNSET
    figures: Mapping[str, Any]
    judged_at: str
    plan: JudgedPlan
    seed: JudgedSeed
    tool: JudgedTool
    settings: JudgedSettings
    environment: Mapping[str, Any] = msgspec.field(default_factory=dict)
    source: SourceDocument = SourceDocument()
    shard: ShardDocument | Unset = UNSET
