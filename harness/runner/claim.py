"""How a session comes by its run: it settles the ledger, then starts a run or claims one."""

from __future__ import annotations

import getpass
import itertools
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

import psycopg
from psycopg import sql

from harness.core.errors import Stopped
from harness.core.sqlstate import advice_for
from harness.runner import ledger, ledger_format, lock
from harness.runner import ledger_statements as statements
from harness.runner.backoff import delay, may_retry, pause
from harness.runner.connection import first_words
from harness.runner.fence import LedgerMovedError, fenced_off
from harness.runner.ledger import Ledger, LedgerRun
from harness.runner.ledger_statements import RunnerIdentity
from harness.runner.session import RunnerSession

Rows = Sequence[sql.Composed]


def settle_ledger(session: RunnerSession) -> Ledger:
    """Read the ledger when nobody else writes it: the last run's backend has ended.

    Raises AnotherRunnerError when another runner has taken over the run that was ours.
    """
    context = session.context
    with session.bounded():
        found = ledger.read(session.lock)
    with session.bounded(session.settings.takeover + lock.END_LIMIT):
        last = found.runs[-1] if found.runs else None
        if last is None:
            return found
        named = lock.Backend(last.pid, last.backend_start)
        claimed = context.claimed
        ours = named in context.workers or claimed == (last.id, last.epoch)
        if claimed is not None and not ours:
            raise fenced_off()
        if last.completed:
            return found
        _end_workers(session, named, ours)
        # Anew, also where nobody is at work any more: he may have committed meanwhile.
        return ledger.read(session.lock)


def _end_workers(session: RunnerSession, named: lock.Backend, ours: bool) -> None:
    """End what still works for the last runner."""
    for orphan in lock.at_work(session.lock, named):
        if orphan == session.work.backend:
            continue
        if lock.end(session.lock, orphan, session.settings.takeover) and not ours:
            message = f"server process {orphan.pid} was ended"
            session.context.tell("takeover", message=message)


def claim_run(
    session: RunnerSession,
    known: Ledger,
    run: LedgerRun,
    note: str | None = None,
    also: Rows = (),
) -> None:
    """Take up an unfinished run: from now on its last runner writes nothing.

    `also` is written in the same transaction. Raises LedgerMovedError when the run came further
    than is known.
    """
    tries = itertools.count()

    def write() -> None:
        if next(tries):
            _end_late(session, run)
        _claim(session, run, known.reach(run), note, also)

    _write_ledger(session, write)
    session.begin_work(replace(run, epoch=run.epoch + 1))


def _end_late(session: RunnerSession, run: LedgerRun) -> None:
    """End who began to work for the last runner after we looked: it holds the run's row."""
    named = lock.Backend(run.pid, run.backend_start)
    with session.bounded(session.settings.takeover + lock.END_LIMIT):
        _end_workers(session, named, named in session.context.workers)


def _claim(
    session: RunnerSession, run: LedgerRun, reach: str, note: str | None, also: Rows
) -> None:
    resumed = statements.event_sql(run.id, run.epoch + 1, "resumed", None, note or "")
    with session.bounded(), session.lock.transaction():
        ledger_format.prepare(session.lock)
        statements.claim_run(session.lock, run.id, _identity(session))
        _refuse_moved(session, resumed, run, reach)
        for row in also:
            session.lock.execute(row)


def _refuse_moved(session: RunnerSession, first: sql.Composed, run: LedgerRun, reach: str) -> None:
    """Write `first`; LedgerMovedError when the run, whose row is locked, came further than known.

    Its last runner may have begun a transaction after we looked who is at work, and committed it
    before the row was ours. In one message, so that nothing comes between.
    """
    cursor = session.lock.execute(first + statements.reach_sql(run.id))
    while cursor.nextset():
        pass
    row = cursor.fetchone()
    if row is None or row[0] != reach:
        raise LedgerMovedError


def start_run(
    session: RunnerSession,
    direction: str,
    undoes: LedgerRun | None,
    reason: str | None,
    known: Ledger,
    also: Callable[[LedgerRun], Rows] = lambda _: (),
) -> None:
    """Record a new run, with the files it depends on; makes the ledger when there is none.

    `also` gives what is written in the same transaction.
    """
    number = max((run.id for run in known.runs), default=0) + 1
    run = _new_run(session, number, direction, undoes)
    open_run = undoes if undoes is not None and not undoes.completed else None
    tries = itertools.count()

    def write() -> None:
        if next(tries) and open_run is not None:
            _end_late(session, open_run)
        _start(session, run, reason, also(run), open_run, known)

    _write_ledger(session, write)
    session.begin_work(run)


def _start(
    session: RunnerSession,
    run: LedgerRun,
    reason: str | None,
    also: Rows,
    open_run: LedgerRun | None,
    known: Ledger,
) -> None:
    """Write the run; an unfinished one that it undoes is closed to its runner."""
    plan = session.plan
    started = statements.event_sql(run.id, 1, "run_started", None, reason or "")
    with session.bounded(), session.lock.transaction():
        ledger_format.prepare(session.lock)
        statements.write_run(session.lock, run, plan.hash, _identity(session), reason)
        if run.direction != "cleanup":
            statements.write_files(session.lock, run.id, plan.files)
        if open_run is None:
            session.lock.execute(started)
        else:
            shut = started + statements.shut_out_sql(open_run.id)
            _refuse_moved(session, shut, open_run, known.reach(open_run))
        for row in also:
            session.lock.execute(row)


def _new_run(
    session: RunnerSession, number: int, direction: str, undoes: LedgerRun | None
) -> LedgerRun:
    backend, plan = session.work.backend, session.plan
    assert backend.start is not None, "our own session cannot be hidden from us"
    return LedgerRun(
        id=number,
        direction=direction,
        undoes=undoes.id if undoes else None,
        plan=plan.name,
        plan_version=plan.version,
        state="running",
        epoch=1,
        pid=backend.pid,
        backend_start=backend.start,
        steps_begun=0,
        steps_done=0,
        completed_at=None,
        age=None,
    )


def complete_run(session: RunnerSession) -> None:
    """Mark the run completed; raises as every writing to the ledger does."""
    _write_ledger(session, lambda: _complete(session))


def _complete(session: RunnerSession) -> None:
    with session.transaction("complete"):
        session.commit(statements.complete_sql(session.run))


def _write_ledger(session: RunnerSession, write: Callable[[], None]) -> None:
    """Write to the ledger, again after what passes: locks, deadlocks, serialization failures.

    Raises Stopped when it does not pass: nothing is half done, and running again resumes.
    """
    attempt = 1
    while True:
        try:
            return write()
        except psycopg.Error as error:
            if session.lost(error) or advice_for(error.sqlstate).retry == "never":
                raise
            session.check_stop("the ledger")
            words = f"{first_words(error)} (SQLSTATE {error.sqlstate}"
            if not may_retry(error.sqlstate, attempt, session.settings):
                reason = f"{words}, after {attempt} attempts)"
                hint = "run the same again to resume"
                raise Stopped(reason, where="the ledger", hint=hint) from error
            session.context.tell("retry", None, message=f"{words}), attempt {attempt}")
            pause(delay(attempt, session.settings), session.context.stop)
            attempt += 1


def _identity(session: RunnerSession) -> RunnerIdentity:
    worker, locker = session.work.backend, session.locker
    session.context.workers.add(worker)
    client = f"{_user()}@{socket.gethostname()}:{os.getpid()}"
    return RunnerIdentity(worker.pid, worker.start, locker.pid, locker.start, client)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
