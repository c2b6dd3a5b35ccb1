"""What a dry run saw: steps, their statements, and the locks that each took."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.direction import StepDirection
from harness.core.finding import Finding
from harness.database.locks import ROW_EXCLUSIVE, blocked_by_mode
from harness.document.dry_run import (
    LintDocument,
    LockDocument,
    StatementDocument,
    StepDocument,
    TakenDocument,
    TroubleDocument,
)


@dataclass(frozen=True)
class LockSeen:
    """A lock on a relation that was there before the step, and what was done under it.

    `seconds` is the longest time one transaction can have held it; `rows_read` what sequential
    scans read of the relation meanwhile, None where the server does not count; `rows_changed` how
    many of its rows were updated or deleted, which nobody else can change until then. `line` is
    that of the statement that took it.
    """

    relation: str
    mode: str
    seconds: float
    rewrites: bool = False
    rows_read: int | None = 0
    rows_changed: int = 0
    line: int | None = None

    @property
    def stops(self) -> str:
        """What users cannot do meanwhile; empty when they notice nothing."""
        changes = self.mode == ROW_EXCLUSIVE and self.rows_changed
        rows = f"writes to {self.rows_changed:,} rows" if changes else ""
        return blocked_by_mode(self.mode) or rows

    def document(self) -> LockDocument:
        """The lock as the document has it."""
        return LockDocument(
            relation=self.relation,
            mode=self.mode,
            seconds=round(self.seconds, 4),
            stops=self.stops,
            rewrites=self.rewrites,
            scans=None if self.rows_read is None else self.rows_read > 0,
            rows_read=self.rows_read,
            rows_changed=self.rows_changed,
            line=self.line,
        )


@dataclass(frozen=True)
class StatementSeen:
    """A statement of a script, over all the transactions it ran in.

    `locks` are those that were first held after it; `rewritten` and `read` name relations that
    were there before: those that it wrote anew, and rows that sequential scans read of them.
    """

    line: int
    tag: str
    text: str
    seconds: float | None = None
    wal_bytes: int | None = None
    runs: int = 0
    locks: tuple[tuple[str, str], ...] = ()
    rewritten: tuple[str, ...] = ()
    read: tuple[tuple[str, int], ...] = ()

    def document(self) -> StatementDocument:
        """The statement as the document has it."""
        return StatementDocument(
            line=self.line,
            tag=self.tag,
            text=self.text,
            runs=self.runs,
            seconds=None if self.seconds is None else round(self.seconds, 4),
            wal_bytes=self.wal_bytes,
            locks=[TakenDocument(relation=name, mode=mode) for name, mode in self.locks],
            rewrites=self.rewritten,
            scans=dict(self.read),
        )


@dataclass(frozen=True)
class Lint:
    """One of squawk's findings, and what really happened at that statement."""

    rule: str
    line: int
    level: str
    message: str
    happened: str = ""

    def document(self) -> LintDocument:
        """The finding as the document has it."""
        return LintDocument(**vars(self))


@dataclass(frozen=True)
class StepSeen:
    """One step in one direction. `began` is seconds since the dry run's first step."""

    id: str
    direction: StepDirection
    kind: str
    file: str
    began: float
    seconds: float
    rows: int
    wal_bytes: int
    temp_bytes: int
    done: bool
    retries: tuple[str, ...] = ()
    statements: tuple[StatementSeen, ...] = ()
    locks: tuple[LockSeen, ...] = ()
    squawk: tuple[Lint, ...] = ()

    def document(self) -> StepDocument:
        """The step as the document has it."""
        return StepDocument(
            id=self.id,
            direction=self.direction,
            kind=self.kind,
            file=self.file,
            began=round(self.began, 4),
            seconds=round(self.seconds, 4),
            rows=self.rows,
            wal_bytes=self.wal_bytes,
            temp_bytes=self.temp_bytes,
            done=self.done,
            retries=self.retries,
            statements=[one.document() for one in self.statements],
            locks=[one.document() for one in self.locks],
            squawk=[one.document() for one in self.squawk],
        )


@dataclass(frozen=True)
class Trouble:
    """Why a direction did not come to its end, as the runner said it."""

    direction: StepDirection
    message: str
    where: str | None
    hint: str | None
    sqlstate: str | None = None
    statement: str | None = None
    line: int | None = None

    def document(self) -> TroubleDocument:
        """The trouble as the document has it."""
        return TroubleDocument(**vars(self))


@dataclass(frozen=True)
class Ran:
    """One direction: its steps in order, how long the runner took, and what stopped it."""

    direction: StepDirection
    steps: tuple[StepSeen, ...]
    seconds: float
    trouble: Trouble | None = None


@dataclass(frozen=True)
class LeftBehind:
    """A step that is declared irreversible: why, what it says stays, and what it left."""

    step: str
    reason: str
    stays: str | None
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """Everything a dry run is judged by.

    `differences` is what the way back left different, None where that cannot be said; `why_not`
    says why. Of the differences, `left` are those of steps that are declared irreversible, and
    `around` those of what stands around the database. With `goes_back` False there is no way back,
    which is then not applicable.
    """

    runs: tuple[Ran, ...]
    differences: tuple[str, ...] | None
    why_not: str = ""
    notes: tuple[Finding, ...] = ()
    left: tuple[LeftBehind, ...] = ()
    goes_back: bool = True
    around: tuple[str, ...] = ()

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The differences that no irreversible step accounts for."""
        own = {one for left in self.left for one in left.differences}
        return tuple(one for one in self.differences or () if one not in own)

    @property
    def steps(self) -> tuple[StepSeen, ...]:
        """The steps of both directions, in the order they ran."""
        return tuple(step for run in self.runs for step in run.steps)
