"""One revision, on clones of the state before it: up, down, up again; observed, killed, judged."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from harness.core.finding import Finding
from harness.document.base import Word
from harness.document.check import RevisionDocument, RevisionStatement, TakenLock
from harness.scenario.revisions.apply import Applied, Sender
from harness.scenario.revisions.bare import OF_ROWS, BareChain
from harness.scenario.revisions.check_server import CheckServer
from harness.scenario.revisions.classes import HARMLESS, sort_classes
from harness.scenario.revisions.growth import Growth, project_seconds
from harness.scenario.revisions.hazards import find_hazards
from harness.scenario.revisions.kill import KillBasis, is_atomic, kill_everywhere
from harness.scenario.revisions.messages import of_failure, of_kills, of_loss, of_rows, of_unlike
from harness.scenario.revisions.observe import ScriptObservation, StatementObserved, observe
from harness.scenario.revisions.rights import find_rights
from harness.scenario.revisions.states import (
    DatabaseState,
    lost_rows,
    read_state,
    unlike,
    unshared_columns,
)
from harness.scenario.revisions.table_rows import Rows
from harness.subject.adapter.model import ForeignRevision, ForeignScript

FORWARD_ONLY = "it has no way back: judged forward"


@dataclass(frozen=True)
class Judges:
    """What every revision is judged with."""

    server: CheckServer
    sender: Sender
    rows: Rows
    without: Sequence[str]
    anonymous: Collection[str] = ()
    growth: Growth | None = None
    bare: BareChain | None = None


@dataclass
class _Notes:
    """What is found of one revision on the way."""

    findings: list[Finding] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    statements: tuple[StatementObserved, ...] = ()
    projected: list[float | None] = field(default_factory=list)
    resumable: str = "not killed"
    back: str = ""


@dataclass(frozen=True)
class JudgedRevision:
    """A revision's document, why it is unknown, and what the next one begins from.

    `after` is None where the revision did not go up; `state` is that of `after`, where it is known.
    """

    document: RevisionDocument
    unknown: tuple[str, ...]
    after: str | None
    state: DatabaseState | None = None


def judge(
    judges: Judges, revision: ForeignRevision, current: str, known: DatabaseState | None = None
) -> JudgedRevision:
    """Judge a revision on clones of `current`, which stays as it is but for more rows.

    `known` is the state of `current`, where somebody has read it.
    """
    began, notes = time.monotonic(), _Notes()
    if revision.flaw:
        finding = Finding("revision.unreadable", "critical", revision.path, revision.flaw)
        notes.findings.append(finding)
        notes.unknown.append(revision.flaw)
        return JudgedRevision(_document(revision, notes, began), tuple(notes.unknown), None)
    filled = judges.rows.top_up(judges.server.all_seeing(current))
    before = known
    if before is None or filled:
        before = read_state(judges.server.all_seeing(current), judges.without)
    course = _Course(judges, revision, notes, current, before)
    after = course.run()
    state = before if after is None else course.golden
    document = _document(revision, notes, began)
    return JudgedRevision(document, tuple(notes.unknown), after, state)


class _Course:
    """The way of one revision through its clones."""

    def __init__(
        self,
        judges: Judges,
        revision: ForeignRevision,
        notes: _Notes,
        current: str,
        before: DatabaseState,
    ) -> None:
        self.judges, self.revision, self.notes = judges, revision, notes
        self.current, self.before = current, before
        self.server = judges.server
        self.golden: DatabaseState | None = None

    def run(self) -> str | None:
        """The database after the revision; None where it does not go up."""
        name = self.server.make(self.current)
        applied = self.judges.sender.up(self.server.dsn(name), self.revision)
        if applied.error is not None:
            self._give_up(name)
            return self._without_rows(applied)
        first = self._state(name)
        if self.server.new_roles():
            return self._with_roles(name, first)
        after = self._twin()
        golden = self.golden = self._state(after)
        self._project()
        unshared = unshared_columns(first, golden)
        self._forward(golden)
        self._back_and_up(name, golden, unshared)
        self._give_up(name)
        self._kill(golden, unshared)
        return after

    def _without_rows(self, applied: Applied) -> str | None:
        """The database after a revision that goes up where there are no made rows."""
        assert applied.error is not None, "it failed"
        bare = self.judges.bare
        after = None
        if bare is not None and applied.error.sqlstate.startswith(OF_ROWS):
            after = bare.copy_after(self.revision)
        if after is None:
            self._fail("revision.up_fails", self.revision.up, applied, "does not go up")
            return None
        self.judges.rows.forget()
        self.notes.findings.append(
            of_rows("revision.up_fails_with_rows", self.revision.up, applied.error)
        )
        self.notes.unknown.append(
            f"it goes up without rows, and not with made ones: {applied.error}"
        )
        return after

    def _with_roles(self, name: str, first: DatabaseState) -> str:
        """Roles are the whole server's: there is one copy, and it goes on from its second up."""
        self.notes.resumable = "not killed: it makes roles, which are the whole server's"
        self._forward(first)
        self._back_and_up(name, first, {})
        self.server.keep_roles()
        return name

    def _twin(self) -> str:
        """A second undisturbed run, observed; the next revision begins from it."""
        name = self.server.make(self.current)
        seen = observe(self.server.dsn(name), self.revision.up)
        if seen.unseen:
            seen = ScriptObservation(unseen=seen.unseen)
            self.server.drop(name)
            name = self.server.make(self.current)
            self.judges.sender.up(self.server.dsn(name), self.revision)
        else:
            self.judges.sender.record(self.server.dsn(name), self.revision)
        self.notes.statements = seen.statements
        return name

    def _project(self) -> None:
        """What the statements that met something would take at the rows of production."""
        growth, seen = self.judges.growth, self.notes.statements
        if growth is not None and any(map(_matters, seen)):
            self.notes.projected = project_seconds(
                self.server, self.current, self.revision.up, seen, growth
            )

    def _forward(self, after: DatabaseState) -> None:
        notes, revision = self.notes, self.revision
        notes.lost = lost_rows(self.before, after)
        notes.findings += of_loss(revision, notes.lost)
        notes.findings += find_hazards(revision.up, notes.statements)
        notes.findings += find_rights(
            self.before.found, after.found, revision.up.path, self.judges.anonymous
        )

    def _back_and_up(
        self, name: str, golden: DatabaseState, unshared: dict[str, frozenset[str]]
    ) -> None:
        revision, notes = self.revision, self.notes
        if revision.down is None:
            notes.back = revision.irreversible or FORWARD_ONLY
            return
        applied = self.judges.sender.down(self.server.dsn(name), revision)
        if applied.error is not None:
            notes.back = "fails"
            self._fail("revision.down_fails", revision.down, applied, "does not go back")
            return
        found = unlike(self.before, self._state(name), unshared)
        notes.back = "differs" if set(found.classes) - HARMLESS else "exact"
        notes.classes.update(found.classes)
        notes.differences += found.differences
        notes.findings += of_unlike(revision, found, "the way back leaves")
        applied = self.judges.sender.up(self.server.dsn(name), revision)
        if applied.error is not None:
            self._fail(
                "revision.up_again_fails",
                revision.up,
                applied,
                "does not go up after its own way back",
            )
            return
        again = unlike(golden, self._state(name), unshared)
        notes.classes.update(again.classes)
        if set(again.classes) - HARMLESS and not set(found.classes) - HARMLESS:
            notes.findings += of_unlike(revision, again, "going up again makes")
            notes.differences += again.differences

    def _kill(self, golden: DatabaseState, unshared: dict[str, frozenset[str]]) -> None:
        if is_atomic(self.revision, self.judges.sender):
            self.notes.resumable = "by construction: one transaction with its version row"
            return
        basis = KillBasis(
            self.server, self.judges.sender, self.current, golden, unshared, self.judges.without
        )
        found, why_not = kill_everywhere(basis, self.revision)
        if why_not:
            self.notes.resumable = f"unknown: {why_not}"
            return
        ends = [one.end for one in found]
        worst = next((end for end in ("other", "stuck") if end in ends), "same")
        self.notes.resumable = f"{worst}: {ends.count(worst)} of {len(ends)} kills"
        habit = bool(self.judges.sender.account.blocked)
        self.notes.findings += of_kills(self.revision, found, habit=habit)

    def _state(self, name: str) -> DatabaseState:
        return read_state(self.server.all_seeing(name), self.judges.without)

    def _fail(self, name: str, script: ForeignScript, applied: Applied, what: str) -> None:
        assert applied.error is not None, "only a failure is told"
        self.notes.findings.append(of_failure(name, script, applied.error, what))

    def _give_up(self, name: str) -> None:
        self.server.drop(name)
        self.server.drop_new_roles()


def _document(revision: ForeignRevision, notes: _Notes, began: float) -> RevisionDocument:
    critical = any(one.severity == "critical" for one in notes.findings)
    verdict: Word = "unknown" if notes.unknown else "fail" if critical else "pass"
    return RevisionDocument(
        name=revision.name,
        path=revision.path,
        verdict=verdict,
        classes=sort_classes(notes.classes),
        findings=notes.findings,
        back=notes.back,
        differences=notes.differences,
        lost_rows=notes.lost,
        statements=[
            _told(one, projected)
            for one, projected in zip_longest(notes.statements, notes.projected)
            if _matters(one)
        ],
        resumable=notes.resumable,
        seconds=round(time.monotonic() - began, 3),
    )


def _matters(one: StatementObserved) -> bool:
    return bool(one.locks or one.rewritten or one.read or one.changed)


def _told(one: StatementObserved, projected: float | None) -> RevisionStatement:
    return RevisionStatement(
        line=one.statement.line,
        text=one.statement.text,
        seconds=round(one.seconds, 4),
        locks=[
            TakenLock(
                relation=lock.relation,
                mode=lock.mode,
                line=lock.line,
                seconds=round(lock.seconds, 4),
            )
            for lock in one.locks
        ],
        rewrites=one.rewritten,
        scans=one.read,
        changes=one.changed,
        seconds_like=projected,
    )
