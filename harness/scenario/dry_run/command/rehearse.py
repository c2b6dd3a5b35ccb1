"""Run a command forward and back on a copy, behind its guards, and tell what was seen of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

from harness.core.direction import StepDirection
from harness.core.errors import Stopped
from harness.core.finding import Finding
from harness.crash.process_run import every_message, start
from harness.database import admin, fingerprint
from harness.database.fingerprint.taking import EXCLUDED
from harness.document.dry_run import PlanDocument
from harness.fault.frames import STARTUP
from harness.fault.process import Ending
from harness.fault.proxy import Proxy
from harness.plan import DryRunRules
from harness.runner.outcome import Stop, never
from harness.scenario.dry_run import commons, judge, look
from harness.scenario.dry_run.command import digest
from harness.scenario.dry_run.command.catalog import CopyCatalog
from harness.scenario.dry_run.command.digest import CommitSpan
from harness.scenario.dry_run.command.statements import leaves_copy
from harness.scenario.dry_run.command.wire_watch import WireWatch
from harness.scenario.dry_run.facts import CatalogFacts, facts
from harness.scenario.dry_run.model import Evidence, Ran, Trouble
from harness.scenario.dry_run.rehearse import DryRun, lacking, other_server, unseen
from harness.scenario.dry_run.sampler import Sampler
from harness.scenario.dry_run.scratch import How, Scratch, Wish, scratch
from harness.server.trust import without_password
from harness.subject.guard.doorway import asked_for
from harness.subject.guard.reach import refuse_other_database
from harness.subject.protocol import Position, Subject, has_direction

AGAIN: Final = "nothing is left of it; run it again"
UNFORESEEN: Final = "what a command does to its server is not known before it runs"
FILES: Final[dict[StepDirection, str]] = {"forward": "up", "rollback": "down"}
"""What a finding's place begins with; the number behind it is that of the statement in the run."""


def rehearse_command(
    dsn: str,
    subject: Subject,
    rules: DryRunRules | None = None,
    *,
    how: How = "auto",
    server: str = "auto",
    stop: Stop = never,
) -> DryRun:
    """Run the commands of a subject on a copy of the named database, which is only read.

    Where nothing is said, the copy is on a server of our own. Raises Refused when no copy can be
    had or when the command connects elsewhere; that it fails is a finding.
    """
    rules = rules or DryRunRules()
    with admin.connection(dsn) as conn:
        known, position = facts(conn), subject.position(conn)
    before = commons.commons(dsn)
    wish = Wish(how=how, beyond=UNFORESEEN if how == "auto" else None, server=server)
    with scratch(dsn, wish) as copy:
        subject.prove_reach(copy.dsn)
        evidence = _Rehearsal(subject, copy, known, rules, stop, position).evidence()
    name = admin.dbname(dsn)
    touched = commons.finding(name, before, commons.commons(dsn))
    notes = (*evidence.notes, *([touched] if touched is not None else []))
    evidence = replace(evidence, notes=notes)
    judged = PlanDocument(name=subject.name, version="", hash=subject.hash)
    state = position.words if position is not None else "unknown"
    return DryRun(judged, name, state, copy, evidence, judge.findings(evidence, rules))


@dataclass(frozen=True)
class _Rehearsal:
    subject: Subject
    copy: Scratch
    known: CatalogFacts
    rules: DryRunRules
    stop: Stop
    position: Position | None

    def evidence(self) -> Evidence:
        """Both directions, and whether the way back leads to where it began."""
        with admin.connection(self.copy.dsn) as conn:
            look.install(conn)
        back = has_direction(self.subject, "rollback")
        notes = [_from_outside(self.rules)]
        notes += [other_server(self.copy)] if self.copy.elsewhere else []
        notes += [lacking(self.copy)] if self.copy.lacks else []
        before = self._identity()
        ran = [self._run("forward", notes)]
        changed = bool(fingerprint.compare(before, self._identity()))
        if changed and back and ran[0].trouble is None:
            ran.append(self._run("rollback", notes))
        if not back:
            notes.append(_no_way_back(self.subject))
            return Evidence(tuple(ran), None, NO_WAY_BACK, tuple(notes), goes_back=False)
        differences, why_not = self._way_back(before, ran, changed)
        return Evidence(tuple(ran), differences, why_not, tuple(notes))

    def _way_back(
        self, before: fingerprint.Fingerprint, ran: list[Ran], changed: bool
    ) -> tuple[tuple[str, ...] | None, str]:
        if ran[0].trouble is not None:
            return None, "the way forward did not come to its end"
        if not changed:
            return None, "the way forward changed nothing: this database is migrated already"
        if ran[1].trouble is not None:
            return None, "the way back did not come to its end"
        found = [str(one) for one in fingerprint.compare(before, self._identity())]
        now = self._position()
        if now != self.position:
            was, now_is = (one.words if one else "unknown" for one in (self.position, now))
            if self.position is not None and self.position.value:
                return None, f"the way back leads to another place than it began at: {now_is}"
            found.insert(0, f"by its own account it was at {was!r}, and is at {now_is!r}")
        return tuple(found), ""

    def _identity(self) -> fingerprint.Fingerprint:
        excluded = (*EXCLUDED, look.SCHEMA)
        return fingerprint.take(
            self.copy.dsn,
            exclude_schemas=excluded,
            exclude=self.subject.bookkeeping,
            detail=True,
        )

    def _position(self) -> Position | None:
        with admin.connection(self.copy.dsn) as conn:
            return self.subject.position(conn)

    def _run(self, direction: StepDirection, notes: list[Finding]) -> Ran:
        with (
            closing(CopyCatalog(self.copy.dsn, self.subject.bookkeeping)) as catalog,
            Sampler(self.copy.dsn, self.rules.sample, foreign=True) as sampler,
        ):
            run = _WatchedRun(self, direction, catalog, sampler)
            ran = run.ran()
            notes += run.notes()
            if sampler.error:
                notes.append(unseen(sampler.error))
        return ran

    def refuses(self, text: str) -> str:
        """Why a statement is kept from the server; empty when it is not."""
        return leaves_copy(text, self.known, alone=self.copy.elsewhere)


class _WatchedRun:
    """One direction, through the proxy."""

    def __init__(
        self, of: _Rehearsal, direction: StepDirection, catalog: CopyCatalog, sampler: Sampler
    ) -> None:
        self._of, self._direction = of, direction
        self._catalog, self._sampler = catalog, sampler
        catalog.wait_alone()
        self._first = self._before = catalog.relations()
        self._log, self._temporary = catalog.counters()
        self._stretches: list[CommitSpan] = []
        self._number = 1
        self._watch = WireWatch(
            catalog=catalog, refuses=of.refuses, on_commit=lambda: self._close("commit")
        )
        self._read: dict[str, int] = {}

    def ran(self) -> Ran:
        """Run it to its end, and tell the steps."""
        began = time.monotonic()
        ending, why = self._served()
        seconds = max(0.0, time.monotonic() - began - self._watch.overhead)
        self._catalog.wait_alone()
        self._close("end")
        self._read = dict(self._reads())
        steps = tuple(
            digest.step_of(one, self._direction, began, FILES[self._direction])
            for one in self._stretches
        )
        steps = digest.with_reads(steps, self._read)
        if not self._catalog.counts():
            steps = tuple(
                replace(step, locks=tuple(replace(lock, rows_read=None) for lock in step.locks))
                for step in steps
            )
        self._steps = steps
        if not why and ending is not None and ending.status != 0:
            why = f"it ended with status {ending.status}"
        return Ran(self._direction, steps, seconds, self._trouble(ending, why) if why else None)

    def _served(self) -> tuple[Ending | None, str]:
        """How the process ended, and what there is to say against it."""
        dsn, subject = self._of.copy.dsn, self._of.subject
        with Proxy(without_password(dsn), skips=every_message) as proxy:
            invocation = subject.invocation(self._direction, proxy.dsn)
            with start(invocation) as process:
                try:
                    proxy.serve([process], self._watch, until=self._of.stop, limit=invocation.limit)
                    if self._of.stop():
                        process.kill()
                        raise Stopped("the dry run was stopped", hint=AGAIN)
                    ending = process.wait(invocation.limit)
                except TimeoutError as error:
                    return None, str(error)
        startups = [f.message.data for f, _ in self._watch.frames if f.message.kind == STARTUP]
        if ending.status == 0:
            where = f"{subject.name}, {self._direction}"
            refuse_other_database(where, map(asked_for, startups), admin.dbname(dsn))
        return ending, ""

    def _trouble(self, ending: Ending | None, why: str) -> Trouble:
        place = f"{FILES[self._direction]}:{max(1, self._number - 1)}"
        said = self._watch.refused or (ending.error if ending else "")
        message = f"{self._of.subject.name!r}, {self._direction}: {why}"
        return Trouble(self._direction, f"{message}: {said}" if said else message, place, None)

    def _close(self, what: str) -> None:
        """A commit, or the end: what was sent since the last one is a stretch."""
        sent = tuple(self._watch.sent[sum(len(one.sent) for one in self._stretches) :])
        if not sent:
            return
        began = time.monotonic()
        after = self._catalog.relations()
        log, _ = self._catalog.counters()
        number = len(self._stretches) + 1
        self._stretches.append(
            CommitSpan(
                f"commit-{number}" if what == "commit" else "end",
                self._number,
                sent,
                self._before,
                after,
                self._sampler.take(self._of.rules.sample).longest(),
                self._catalog.log_written(self._log, log),
            )
        )
        self._before, self._log = after, self._catalog.counters()[0]
        self._number += sum(len(one.texts) for one in sent)
        self._watch.overhead += time.monotonic() - began if what == "commit" else 0.0

    def _reads(self) -> Iterator[tuple[str, int]]:
        now = self._catalog.relations()
        for oid, old in self._first.items():
            more = now[oid].read - old.read if oid in now else 0
            if more > 0:
                yield old.name, more

    def notes(self) -> list[Finding]:
        """What could not be seen, or must not have been done."""
        found = []
        if self._watch.outside is not None:
            found.append(_outside(*self._watch.outside, self._of.subject))
        rows = digest.unplaced(self._steps, self._read)
        found += [_unplaced(name, count, self._of.rules, FILES[self._direction])
                  for name, count in rows.items()]  # fmt: skip
        return found


NO_WAY_BACK: Final = "not applicable: the subject has no way back"


def _no_way_back(subject: Subject) -> Finding:
    return Finding(
        "dry-run.no-way-back",
        "info",
        subject.name,
        "not applicable: the subject has no way back, so none was rehearsed",
        "give it a command that goes back, if there is one",
    )


def _from_outside(rules: DryRunRules) -> Finding:
    return Finding(
        "dry-run.from-outside",
        "info",
        "the run",
        "it was watched from outside: locks between the statements of a transaction are all seen,"
        f" those of a statement that commits by itself by samples every {rules.sample:g} s",
    )


def _outside(text: str, why: str, subject: Subject) -> Finding:
    return Finding(
        "dry-run.outside",
        "warning",
        subject.name,
        f"it was stopped before a statement that reaches outside of any copy: it {why}",
        "rehearse it by hand on a server whose neighbours do not count",
        " ".join(text.split())[:200],
    )


def _unplaced(name: str, rows: int, rules: DryRunRules, place: str) -> Finding:
    few = rows < rules.small_rows
    return Finding(
        "dry-run.reads-unplaced",
        "info" if few else "warning",
        place,
        f"{rows:,} rows of {name} were read in a run that locks it against users; which statement"
        " read them, and whether under that lock, is not seen from outside",
        "" if few else "read before the lock, in a transaction of its own",
    )
