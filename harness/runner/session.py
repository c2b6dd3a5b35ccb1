"""A runner's hold on a database: the lock, the working session, the run it has claimed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from harness.core.errors import Stopped
from harness.plan import RunnerSettings, Script
from harness.runner import ledger_statements as statements
from harness.runner import lock, long_use, renewal, transaction
from harness.runner.backoff import pause
from harness.runner.connection import (
    configure,
    connect,
    refuse_transaction_pooling,
    refuse_two_servers,
)
from harness.runner.context import RunContext
from harness.runner.fence import heed_control, heed_fence
from harness.runner.heartbeat import Deadline, Heartbeat
from harness.runner.ledger import Checkpoint, LedgerRun
from harness.runner.long_use import LongUse, TableUser
from harness.runner.memory import refuse_more_memory
from harness.runner.signals import StopRequest
from harness.runner.wait_bound import WaitBound, bound_of
from harness.runner.working import Cursor, WorkingSession, next_rows

CONTROL_INTERVAL = 0.5


class RunnerSession:
    """The lock is held from open to close; every transaction that writes checks the fence."""

    def __init__(self, dsn: str, context: RunContext) -> None:
        self.context = context
        self.plan = context.plan
        self._run: LedgerRun | None = None
        self._heartbeat: Heartbeat | None = None
        self.bound = WaitBound()
        with contextlib.ExitStack() as undo:
            self.lock = connect(dsn, "lock")
            undo.callback(self.lock.close)
            self.work = WorkingSession(dsn, self.lock, context)
            undo.callback(self.work.conn.close)
            context.connected = True
            with self.bounded():
                refuse_transaction_pooling(self.lock, self.work.conn)
                refuse_two_servers(dsn, self.lock, self.work.conn)
                configure(self.lock, self.settings)
                # before it waits for the lock: the role's own limits would end an idle session
                self.work.configure()
                self.locker = lock.identify(self.lock)
            with self.bounded(self.settings.lock_wait + lock.END_LIMIT):
                taken = lock.acquire(self.lock, self.settings, context.lockers)
                context.lockers.add(self.locker)
            with self.bounded():
                self.work.identify()
            undo.pop_all()
        if taken and taken not in context.lockers:
            context.tell("takeover", message=f"the lock of silent server process {taken.pid}")

    def bounded(self, seconds: float = 0.0) -> Deadline:
        """Short work before the heartbeat beats: its lines are cut when it takes too long."""
        return Deadline(seconds + self.settings.stall, self.lock, self.work.conn)

    def close(self, *, wait: bool = False) -> None:
        """Let the lock go; what was not committed is undone by the server.

        With `wait` only when it is free, or a while has passed: whoever comes next finds it so.
        """
        if isinstance(self.context.stop, StopRequest):
            self.context.stop.on_second(None)
        if self._heartbeat is not None:
            self._heartbeat.stop()
        with contextlib.suppress(psycopg.Error):
            self.work.conn.close()
        with contextlib.suppress(psycopg.Error):
            renewal.hang_up(self.lock) if wait else self.lock.close()

    @property
    def settings(self) -> RunnerSettings:
        """The plan's [runner], with what an operator has set since."""
        return self.context.settings

    @property
    def run(self) -> LedgerRun:
        """The run that was started or claimed."""
        assert self._run is not None, "no run is claimed"
        return self._run

    def lost(self, error: BaseException) -> bool:
        """Whether the error means that a connection is gone."""
        return self.work.lost(error)

    def begin_work(self, run: LedgerRun) -> None:
        """From now on the run is ours, and the heartbeat shows it."""
        self._run = run
        self.context.claimed = (run.id, run.epoch)
        with self.bounded():
            self.work.take_up(run.id)
        self._heartbeat = Heartbeat(
            self.lock,
            self.work.conn,
            self.work.backend.pid,
            self.work.waiting,
            self.settings,
            self.bound,
        )
        self.work.watch_by(self._heartbeat)
        self._heartbeat.start()
        if isinstance(self.context.stop, StopRequest):
            self.context.stop.on_second(self.work.cancel)

    def check_stop(self, where: str | None = None) -> None:
        """Raise Stopped when somebody asked for it, or the runner has more memory than it may."""
        if self.context.stop():
            raise Stopped("stopped on request", where=where, hint="run the same again to resume")
        refuse_more_memory(self.settings, where)

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
        Raises AnotherRunnerError when the run is not ours any more, Stopped as an operator asks.
        """
        work = self.work
        work.refresh()
        fence = statements.fence_sql(self.run.id, self.run.epoch)
        look, use = long_use.look_sql(self.settings, script), LongUse(self.settings)
        query = work.begin_sql(label, script, head, fence, look)
        if then is not None:
            query += then
        try:
            cursor = self._begin(query, label, look, use)
            self.bound.begin(bound_of(self.settings, script))
            work.used = script is not None and bool(script.statements or script.settings)
            while then is not None and cursor.nextset() and cursor.description is None:
                pass
            yield cursor
        finally:
            work.roll_back()
            self.bound.end()

    def _begin(
        self, query: sql.Composed, label: str, look: sql.Composed | None, use: LongUse
    ) -> Cursor:
        """Begin, when nobody asks to pause and no long user holds what is to be locked."""
        while True:
            cursor = self.work.execute(query)
            self.work.learn_process(cursor)
            users = use.of(next_rows(cursor)) if look is not None else []
            paused = heed_fence(self.context, cursor)
            users = users if self.settings.long_use else []  # an operator may not want to wait
            if not paused and not users:
                self.end_use(label, use)
                return cursor
            self.work.roll_back()
            if paused:
                self._wait_paused(label)
            else:
                self.wait_used(label, use, users)

    def wait_used(self, label: str, use: LongUse, users: list[TableUser]) -> None:
        """Wait a little for long users; says once who they are."""
        self.check_stop(label)
        if not use.told and use.is_sure(users):
            use.told = True
            self._tell(label, "long_use", long_use.listed(users))
        use.refuse_longer(users, label, self.settings.long_use_wait)
        pause(long_use.INTERVAL, self.context.stop)

    def end_use(self, label: str, use: LongUse) -> None:
        """Say that no long user is there any more, where it was said that one is."""
        if use.told:
            self._tell(label, "long_use_ended", f"waited {use.waited:.1f} s")

    def _tell(self, label: str, kind: str, words: str) -> None:
        self.context.tell(kind, label, message=words)
        self.record(kind, label, words)

    def hear_control(self) -> bool:
        """Ask what an operator wants; whether it is a pause. Stopped when it is a stop."""
        answer = self.work.ask(statements.control_sql(self.run.id, self.run.epoch))
        return heed_control(self.context, answer)

    def _wait_paused(self, label: str) -> None:
        """Wait until the pause is over; Stopped when somebody asks for it meanwhile."""
        self.context.tell("paused", label, message=f"paused by {self.context.control.paused}")
        while self.hear_control():
            self.check_stop(label)
            pause(CONTROL_INTERVAL, self.context.stop)
        self.context.tell("pause_ended", label, message="the run goes on")

    def commit(self, *rows: sql.Composed) -> None:
        """Write what is given and commit, in one message; an error where it did not commit."""
        ended = transaction.end(self.work.pinned, used=self.work.used)
        cursor = self.work.execute(sql.SQL("").join([ended, *rows, sql.SQL("COMMIT")]))
        while cursor.nextset():
            pass
        if cursor.statusmessage != "COMMIT":
            raise psycopg.OperationalError("the server did not commit")
        self.context.progress += 1

    def checkpoint(self, row: Checkpoint) -> None:
        """Commit the transaction together with the step's checkpoint."""
        self.commit(statements.checkpoint_sql(row))

    def record(self, kind: str, step: str | None, message: str) -> None:
        """Write an event in a transaction of its own, if the run is still ours."""
        self.work.ask(statements.event_sql(self.run.id, self.run.epoch, kind, step, message))

    def note_stop(self, message: str) -> None:
        """Record that the run was stopped; that this cannot be recorded changes nothing."""
        if self._run is not None:
            with contextlib.suppress(psycopg.Error):
                self.record("stopped", None, message)
