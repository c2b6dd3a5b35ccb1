"""A runner's hold on a database: the lock, the working connection, the run it has claimed."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from harness.core.errors import AnotherRunnerError, InfrastructureError, Stopped
from harness.core.sqlstate import advice_for
from harness.plan import RunnerSettings, Script
from harness.runner import ledger, ledger_format, lock, long_use, transaction
from harness.runner import ledger_statements as statements
from harness.runner.backoff import delay, may_retry, pause
from harness.runner.connection import (
    configure,
    connect,
    first_words,
    is_lost,
    refuse_transaction_pooling,
    refuse_two_servers,
    set_variables,
)
from harness.runner.context import RunContext
from harness.runner.control_row import Control
from harness.runner.heartbeat import Deadline, Heartbeat, Waiting, cut
from harness.runner.ledger import Checkpoint, Ledger, LedgerRun
from harness.runner.ledger_statements import RunnerIdentity
from harness.runner.long_use import LongUse
from harness.runner.renewal import address, hang_up, has_ended
from harness.runner.settings import set_sql, variables
from harness.runner.signals import StopRequest
from harness.runner.timeouts import setting_name, setting_value, timeouts
from harness.runner.wait_bound import WaitBound, bound_of

Cursor = psycopg.Cursor[tuple[object, ...]]
CONTROL_INTERVAL = 0.5
CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")


class RunnerSession:
    """The lock is held from open to close; every transaction that writes checks the fence.

    `work` is the working connection. What a script leaves in a session ends with it: whatever comes
    after a script has a new one. So a run that is resumed finds what an undisturbed one does.
    """

    def __init__(self, dsn: str, context: RunContext) -> None:
        self.context = context
        self.plan = context.plan
        self.waiting = Waiting()
        self._run: LedgerRun | None = None
        self._heartbeat: Heartbeat | None = None
        self.bound = WaitBound()
        self._used = False  # by a script: nothing else is to be done in it
        with contextlib.ExitStack() as undo:
            self.lock = connect(dsn, "lock")
            undo.callback(self.lock.close)
            self.work = connect(dsn, "runner")
            undo.callback(self.work.close)
            context.connected = True
            with self.bounded():
                refuse_transaction_pooling(self.lock, self.work)
                refuse_two_servers(dsn, self.lock, self.work)
                configure(self.lock, self.settings)
                # before it waits for the lock: the role's own limits would end an idle session
                self._pinned = configure(self.work, self.settings)
                self.locker = lock.identify(self.lock)
            with self.bounded(self.settings.lock_wait + lock.END_LIMIT):
                taken = lock.acquire(self.lock, self.settings, context.lockers)
                context.lockers.add(self.locker)
            with self.bounded():
                self.worker = lock.identify(self.work)
            undo.pop_all()
        self._address = address(dsn, self.work)
        if taken and taken not in context.lockers:
            context.tell("takeover", message=f"the lock of silent server process {taken.pid}")

    def bounded(self, seconds: float = 0.0) -> Deadline:
        """Short work before the heartbeat beats: its lines are cut when it takes too long."""
        return Deadline(seconds + self.settings.stall, self.lock, self.work)

    def close(self) -> None:
        """Let the lock go; what was not committed is undone by the server."""
        if isinstance(self.context.stop, StopRequest):
            self.context.stop.on_second(None)
        if self._heartbeat is not None:
            self._heartbeat.stop()
        for conn in (self.work, self.lock):
            with contextlib.suppress(psycopg.Error):
                conn.close()

    @property
    def settings(self) -> RunnerSettings:
        """The plan's [runner], with what an operator has set since."""
        return self.context.settings

    @property
    def run(self) -> LedgerRun:
        """The run that was claimed."""
        assert self._run is not None, "no run is claimed"
        return self._run

    def lost(self, error: BaseException) -> bool:
        """Whether the error means that a connection is gone."""
        return is_lost(self.work, error) or is_lost(self.lock, error)

    def settled_ledger(self) -> Ledger:
        """Read the ledger when nobody else writes it: the last run's backend has ended."""
        with self.bounded():
            found = ledger.read(self.lock)
        with self.bounded(self.settings.takeover + lock.END_LIMIT):
            last = found.runs[-1] if found.runs else None
            if last is None:
                return found
            named = lock.Backend(last.pid, last.backend_start)
            claimed = self.context.claimed
            ours = named in self.context.workers or claimed == (last.id, last.epoch)
            if claimed is not None and not ours:
                raise self._fenced()
            if last.completed:
                return found
            self._end_workers(named, ours)
            # Anew, also where nobody is at work any more: he may have committed meanwhile.
            return ledger.read(self.lock)

    def _end_workers(self, named: lock.Backend, ours: bool) -> None:
        """End what still works for the last runner."""
        for orphan in lock.at_work(self.lock, named):
            if orphan == self.worker or not lock.end(self.lock, orphan, self.settings.takeover):
                continue
            if not ours:
                self.context.tell("takeover", message=f"server process {orphan.pid} was ended")

    def claim(
        self, run: LedgerRun, note: str | None = None, also: Sequence[sql.Composed] = ()
    ) -> None:
        """Take up an unfinished run: from now on its last runner writes nothing.

        `also` is written in the same transaction.
        """
        tries = itertools.count()

        def write() -> None:
            if next(tries):
                self._end_late(run)
            self._claim(run, note, also)

        self._again_and_again(write)
        self._begin_work(replace(run, epoch=run.epoch + 1))

    def _end_late(self, run: LedgerRun) -> None:
        """End who began to work for the last runner after we looked: it holds the run's row."""
        named = lock.Backend(run.pid, run.backend_start)
        with self.bounded(self.settings.takeover + lock.END_LIMIT):
            self._end_workers(named, named in self.context.workers)

    def _claim(self, run: LedgerRun, note: str | None, also: Sequence[sql.Composed]) -> None:
        with self.bounded(), self.lock.transaction():
            ledger_format.prepare(self.lock)
            statements.claim_run(self.lock, run.id, self._identity())
            self.lock.execute(
                statements.event_sql(run.id, run.epoch + 1, "resumed", None, note or "")
            )
            for row in also:
                self.lock.execute(row)

    def _again_and_again(self, write: Callable[[], None]) -> None:
        """Write to the ledger, again after what passes: locks, deadlocks, serialization failures.

        Raises Stopped when it does not pass: nothing is half done, and running again resumes.
        """
        attempt = 1
        while True:
            try:
                return write()
            except psycopg.Error as error:
                if self.lost(error) or advice_for(error.sqlstate).retry == "never":
                    raise
                self.check_stop("the ledger")
                words = f"{first_words(error)} (SQLSTATE {error.sqlstate}"
                if not may_retry(error.sqlstate, attempt, self.settings):
                    reason = f"{words}, after {attempt} attempts)"
                    hint = "run the same again to resume"
                    raise Stopped(reason, where="the ledger", hint=hint) from error
                self.context.tell("retry", None, message=f"{words}), attempt {attempt}")
                pause(delay(attempt, self.settings), self.context.stop)
                attempt += 1

    def start(
        self,
        direction: str,
        undoes: LedgerRun | None,
        reason: str | None,
        known: Ledger,
        also: Callable[[LedgerRun], Sequence[sql.Composed]] = lambda _: (),
    ) -> None:
        """Record a new run, with the files it depends on; makes the ledger when there is none.

        `also` gives what is written in the same transaction.
        """
        number = max((run.id for run in known.runs), default=0) + 1
        run = self._started(number, direction, undoes)
        self._again_and_again(lambda: self._start(run, reason, also(run)))
        self._begin_work(run)

    def _start(self, run: LedgerRun, reason: str | None, also: Sequence[sql.Composed]) -> None:
        plan, number = self.plan, run.id
        with self.bounded(), self.lock.transaction():
            ledger_format.prepare(self.lock)
            statements.write_run(self.lock, run, plan.hash, self._identity(), reason)
            if run.direction != "cleanup":
                statements.write_files(self.lock, number, plan.files)
            self.lock.execute(statements.event_sql(number, 1, "run_started", None, reason or ""))
            for row in also:
                self.lock.execute(row)

    def _started(self, number: int, direction: str, undoes: LedgerRun | None) -> LedgerRun:
        assert self.worker.start is not None, "our own session cannot be hidden from us"
        return LedgerRun(
            id=number,
            direction=direction,
            undoes=undoes.id if undoes else None,
            plan=self.plan.name,
            plan_version=self.plan.version,
            state="running",
            epoch=1,
            pid=self.worker.pid,
            backend_start=self.worker.start,
            steps_begun=0,
            steps_done=0,
            completed_at=None,
            age=None,
        )

    def _identity(self) -> RunnerIdentity:
        self.context.workers.add(self.worker)
        client = f"{_user()}@{socket.gethostname()}:{os.getpid()}"
        worker, locker = self.worker, self.locker
        return RunnerIdentity(worker.pid, worker.start, locker.pid, locker.start, client)

    def _begin_work(self, run: LedgerRun) -> None:
        self._run = run
        self.context.claimed = (run.id, run.epoch)
        with self.bounded():
            set_variables(self.work, {**self.plan.variables, "run_id": str(run.id)})
        self._heartbeat = Heartbeat(
            self.lock, self.work, self.worker.pid, self.waiting, self.settings, self.bound
        )
        self._heartbeat.start()
        if isinstance(self.context.stop, StopRequest):
            self.context.stop.on_second(self._cancel)

    def _cancel(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self.work.cancel_safe(timeout=5)

    def check_stop(self, where: str | None = None) -> None:
        """Raise Stopped when somebody asked for it."""
        if self.context.stop():
            raise Stopped("stopped on request", where=where, hint="run the same again to resume")

    def execute(
        self, query: sql.Composed | bytes, params: dict[str, object] | None = None
    ) -> Cursor:
        """Send one message on the working connection and wait for its answer."""
        with self.waiting:
            return self.work.execute(query, params)

    def ask(self, query: sql.Composed, script: Script | None = None) -> Cursor:
        """The answer to a query of our own, with nothing of a script in its session.

        With `script` it is asked as the script would ask it, under its settings and its role.
        """
        self._refresh()
        own = transaction.late(script.settings) if script is not None else ()
        cursor = self.execute(self._ours() + transaction.set_local(own) + query)
        self._met(cursor)
        while cursor.nextset() and cursor.description is None:
            pass
        return cursor

    def send(self, script: Script, label: str, text: str) -> None:
        """Run a statement outside any transaction, under the script's own settings."""
        self._refresh()
        own = {"application_name": f"harness {label}"[:63], **timeouts(self.settings, script)}
        sets = [
            sql.SQL("SET {} = {};").format(setting_name(name), setting_value(name, value))
            for name, value in (*own.items(), *script.settings)
        ]
        self._used = True
        self._met(self.execute(self._ours() + lock.at_work_sql(until="") + sql.Composed(sets)))
        self.execute(text.encode())

    def probe(self, script: Script, query: bytes) -> tuple[object, ...] | None:
        """The last answer of statements that are then undone; None when the server refuses one."""
        self._refresh()
        late = transaction.set_local(transaction.late(script.settings))
        begin = sql.SQL("BEGIN;") + self._ours() + late
        try:
            cursor = self.execute(begin.as_bytes(self.work) + query)
            self._met(cursor)
            rows: list[tuple[object, ...]] = []
            while cursor.nextset():
                rows = cursor.fetchall() if cursor.description is not None else rows
            return rows[0]
        except psycopg.Error as error:
            if self.lost(error):
                raise
            return None
        finally:
            self._roll_back()

    def _refresh(self) -> None:
        """Work in a new session, when a script has used this one."""
        if not self._used:
            return
        if has_ended(self.lock) or has_ended(self.work):
            cut(self.work)  # without its lock, too, a runner starts anew
            self.execute(b"SELECT 1")
        try:
            fresh = connect(self._address, "runner")
        except InfrastructureError as refused:
            self._keep(refused)
        else:
            spent, self.work = self.work, fresh
            self._watch(None)
            hang_up(spent)
        self._used = False

    def _keep(self, refused: InfrastructureError) -> None:
        """Where no new session is to be had, the old one forgets what it can."""
        self.execute(b"DISCARD ALL")
        self.context.tell("session_kept", message=refused.message)

    def _ours(self) -> sql.Composed:
        own = variables(self.plan.variables, self._run.id) if self._run is not None else {}
        return set_sql(self._pinned, own)

    def _met(self, cursor: Cursor) -> None:
        """Learn from the answer to our settings which server process works for us."""
        while cursor.statusmessage is None or not cursor.statusmessage.startswith("SELECT"):
            if not cursor.nextset():
                return
        row = cursor.fetchone()
        assert row is not None, "an aggregate gives one row"
        self._watch(int(str(row[1])))

    def _watch(self, pid: int | None) -> None:
        if self._heartbeat is not None:
            self._heartbeat.watch(self.work, pid)

    @contextmanager
    def transaction(
        self,
        label: str,
        script: Script | None = None,
        then: sql.Composed | None = None,
        head: Sequence[str] = (),
    ) -> Iterator[Cursor]:
        """Begin behind the fence; yields the answer to `then`, a query sent along.

        The block ends with commit(); left in any other way, the transaction is rolled back.
        """
        self._refresh()
        own = {"application_name": f"harness {label}"[:63], **timeouts(self.settings, script)}
        look, use = long_use.look_sql(self.settings, script), LongUse(self.settings)
        query = transaction.begin(
            self._ours(),
            own,
            script.settings if script is not None else (),
            head,
            statements.fence_sql(self.run.id, self.run.epoch),
            look,
        )
        if then is not None:
            query += then
        try:
            cursor = self._begin(query, label, look, use)
            self.bound.begin(bound_of(self.settings, script))
            self._used = script is not None and bool(script.statements or script.settings)
            while then is not None and cursor.nextset() and cursor.description is None:
                pass
            yield cursor
        finally:
            self._roll_back()
            self.bound.end()

    def _begin(
        self, query: sql.Composed, label: str, look: sql.Composed | None, use: LongUse
    ) -> Cursor:
        """Begin, when nobody asks to pause and no long user holds what is to be locked."""
        while True:
            cursor = self.execute(query)
            self._met(cursor)
            users = use.of(_next_rows(cursor)) if look is not None else []
            paused = self._check_fence(cursor)
            users = users if self.settings.long_use else []  # an operator may not want to wait
            if not paused and not users:
                if use.told:
                    self._tell(label, "long_use_ended", f"waited {use.waited:.1f} s")
                return cursor
            self._roll_back()
            if paused:
                self._wait_paused(label)
            else:
                self._wait_used(label, use, users)

    def _wait_used(self, label: str, use: LongUse, users: list[long_use.TableUser]) -> None:
        """Wait a little for long users; says once who they are."""
        self.check_stop(label)
        if not use.told and use.is_sure(users):
            use.told = True
            self._tell(label, "long_use", long_use.listed(users))
        use.refuse_longer(users, label, self.settings.long_use_wait)
        pause(long_use.INTERVAL, self.context.stop)

    def _tell(self, label: str, kind: str, words: str) -> None:
        self.context.tell(kind, label, message=words)
        self.record(kind, label, words)

    def _check_fence(self, cursor: Cursor) -> bool:
        """The fence is the second query after our settings; the first takes a lock.

        Gives whether an operator asks to pause; Stopped when one asks to stop.
        """
        answers = 0
        while answers < 2 and cursor.nextset():
            answers += cursor.description is not None
        if answers < 2 or cursor.rowcount != 1:
            raise self._fenced()
        return self._heard(cursor)

    def _heard(self, cursor: Cursor) -> bool:
        row = cursor.fetchone()
        if row is None:
            raise self._fenced()
        self.context.control = Control.read(None if row[1] is None else str(row[1]))
        self.context.control.refuse_stop()
        return bool(self.context.control.paused)

    def hear_control(self) -> bool:
        """Ask what an operator wants; whether it is a pause. Stopped when it is a stop."""
        return self._heard(self.ask(statements.control_sql(self.run.id, self.run.epoch)))

    def _wait_paused(self, label: str) -> None:
        """Wait until the pause is over, asked for in vain by nobody who has stopped the run."""
        self.context.tell("paused", label, message=f"paused by {self.context.control.paused}")
        while self.hear_control():
            self.check_stop(label)
            pause(CONTROL_INTERVAL, self.context.stop)
        self.context.tell("pause_ended", label, message="the run goes on")

    def _fenced(self) -> AnotherRunnerError:
        return AnotherRunnerError(
            "another runner has taken this run over; nothing more was written here",
            hint="see `harness status`",
        )

    def commit(self, *rows: sql.Composed) -> None:
        """Write what is given and commit, in one message."""
        ended = transaction.end(self._pinned, used=self._used)
        cursor = self.execute(sql.SQL("").join([ended, *rows, sql.SQL("COMMIT")]))
        while cursor.nextset():
            pass
        if cursor.statusmessage != "COMMIT":
            raise psycopg.OperationalError("the server did not commit")
        self.context.progress += 1

    def checkpoint(self, row: Checkpoint) -> None:
        """Commit the transaction together with the step's checkpoint."""
        self.commit(statements.checkpoint_sql(row))

    def _roll_back(self) -> None:
        with contextlib.suppress(psycopg.Error), self.waiting:
            if self.work.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.work.execute("ROLLBACK")

    def record(self, kind: str, step: str | None, message: str) -> None:
        """Write an event in a transaction of its own, if the run is still ours."""
        self.ask(statements.event_sql(self.run.id, self.run.epoch, kind, step, message))

    def note_stop(self, message: str) -> None:
        """Record that the run was stopped; that this cannot be recorded changes nothing."""
        if self._run is not None:
            with contextlib.suppress(psycopg.Error):
                self.record("stopped", None, message)

    def complete(self) -> None:
        """Mark the run completed."""
        self._again_and_again(self._complete)

    def _complete(self) -> None:
        with self.transaction("complete"):
            self.commit(statements.complete_sql(self.run))


def _next_rows(cursor: Cursor) -> list[tuple[object, ...]]:
    """The rows of the next answer that has any columns."""
    while cursor.nextset():
        if cursor.description is not None:
            return cursor.fetchall()
    return []


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
