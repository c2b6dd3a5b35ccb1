"""What a dry run leaves: findings, steps with their statements and locks, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from harness.core.finding import Finding
from harness.document.base import Document, Word

Direction = Literal["forward", "rollback"]


class LockDocument(Document, frozen=True, kw_only=True):
    """A lock on a relation that was there before, and what was done under it."""

    relation: str
    mode: str
    seconds: float
    stops: str
    rewrites: bool
    scans: bool | None
    rows_read: int | None
    rows_changed: int
    line: int | None


class TakenDocument(Document, frozen=True, kw_only=True):
    """A lock that a statement took."""

    relation: str
    mode: str


class StatementDocument(Document, frozen=True, kw_only=True):
    """A statement of a script, over all the transactions that it ran in."""

    line: int
    tag: str
    text: str
    runs: int
    seconds: float | None
    wal_bytes: int | None
    locks: Sequence[TakenDocument]
    rewrites: Sequence[str]
    scans: Mapping[str, int]


class LintDocument(Document, frozen=True, kw_only=True):
    """What squawk says of a statement, and what really happened there."""

    rule: str
    line: int
    level: str
    message: str
    happened: str


class StepDocument(Document, frozen=True, kw_only=True):
    """One step in one direction."""

    id: str
    direction: Direction
    kind: str
    file: str
    began: float
    seconds: float
    rows: int
    wal_bytes: int
    temp_bytes: int
    done: bool
    retries: Sequence[str]
    statements: Sequence[StatementDocument]
    locks: Sequence[LockDocument]
    squawk: Sequence[LintDocument]


class TroubleDocument(Document, frozen=True, kw_only=True):
    """Why a direction did not come to its end."""

    direction: Direction
    message: str
    where: str | None
    hint: str | None
    sqlstate: str | None
    statement: str | None
    line: int | None


class WayBackDocument(Document, frozen=True, kw_only=True):
    """What the rollback left different; `equal` is null where that is not known."""

    equal: bool | None
    differences: Sequence[str]
    unexplained: Sequence[str]
    unknown_because: str


class LeftDocument(Document, frozen=True, kw_only=True):
    """A step that is declared irreversible, and what it left."""

    step: str
    reason: str
    stays: str | None
    differences: Sequence[str]


class DatabaseDocument(Document, frozen=True, kw_only=True):
    """The database that was named, and where it stands."""

    name: str
    state: str


class CopyDocument(Document, frozen=True, kw_only=True):
    """The copy that the plan ran on."""

    how: str
    seconds: float
    bytes: int
    server_version: str
    passed_over: Sequence[str]
    server: str
    lacks: Sequence[str]


class PlanDocument(Document, frozen=True, kw_only=True):
    """Which plan."""

    name: str
    version: str
    hash: str


class EstimatedStep(Document, frozen=True, kw_only=True):
    """A step: what was expected and what it took."""

    id: str
    estimate_seconds: float
    seconds: float | None


class EstimateDocument(Document, frozen=True, kw_only=True):
    """How far an estimate was from the run that followed; `why` says what is not known."""

    verdict: Word
    estimate_seconds: float | None
    seconds: float | None = None
    error: float | None = None
    why: str = ""
    steps: Sequence[EstimatedStep] = ()


class DryRunDocument(Document, frozen=True, kw_only=True):
    """A whole dry run. A gate adds the run that followed, and its tries.

    `eta_error_percent` is the median error of the times said to be left; absent where none was.
    """

    verdict: Word
    findings: Sequence[Finding]
    estimate_seconds: float | None
    rollback_seconds: float | None
    steps: Sequence[StepDocument]
    errors: Sequence[TroubleDocument]
    way_back: WayBackDocument
    irreversible: Sequence[LeftDocument]
    database: DatabaseDocument
    copy: CopyDocument | None
    plan: PlanDocument
    eta_error_percent: float | msgspec.UnsetType = msgspec.UNSET
    estimate: EstimateDocument | msgspec.UnsetType = msgspec.UNSET
    tries: Sequence[EstimateDocument] | msgspec.UnsetType = msgspec.UNSET
