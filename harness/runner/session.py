"""A runner's hold on a database: the lock, the working session, the run it has claimed."""

from __future__ import annotations

import contextlib

import psycopg

from harness.runner import lock, renewal
from harness.runner.connection import (
    configure,
    connect,
    refuse_transaction_pooling,
    refuse_two_servers,
)
from harness.runner.context import RunContext
from harness.runner.fenced_session import FencedSession
from harness.runner.heartbeat import Deadline, Heartbeat, WatchedSession
from harness.runner.ledger import LedgerRun
from harness.runner.signals import StopRequest
from harness.runner.working import WorkingSession


class RunnerSession(FencedSession):
    """The lock is held from open to close; every transaction that writes checks the fence."""

    def __init__(self, dsn: str, context: RunContext) -> None:
        super().__init__(context)
        self._heartbeat: Heartbeat | None = None
        self._beside: list[FencedSession] = []
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
        for one in (self, *self._beside):
            with contextlib.suppress(psycopg.Error):
                one.work.conn.close()
        with contextlib.suppress(psycopg.Error):
            renewal.hang_up(self.lock) if wait else self.lock.close()

    def lost(self, error: BaseException) -> bool:
        """Whether the error means that a connection is gone, this one or one beside it."""
        return any(one.work.lost(error) for one in (self, *self._beside))

    def begin_work(self, run: LedgerRun) -> None:
        """From now on the run is ours, and the heartbeat shows it."""
        self._run = run
        self.context.claimed = (run.id, run.epoch)
        with self.bounded():
            self.work.take_up(run.id)
        self._heartbeat = Heartbeat(self.lock, self.settings)
        self._watch(self, self.work.backend.pid)
        self._heartbeat.start()
        if isinstance(self.context.stop, StopRequest):
            self.context.stop.on_second(self._cancel)

    def _watch(self, one: FencedSession, pid: int | None) -> None:
        assert self._heartbeat is not None, "the run is ours"
        work = one.work
        self._heartbeat.take_up(WatchedSession(work.conn, pid, work.waiting, one.bound))
        work.watch_by(self._heartbeat)

    def _cancel(self) -> None:
        for one in (self, *self._beside):
            one.work.cancel()

    def open_beside(self) -> FencedSession:
        """One more session that works on the run; InfrastructureError when there is none to be had.

        It ends with close_beside(), or with this one.
        """
        other = FencedSession(self.context)
        other.work, other._run = self.work.beside(), self.run
        self._watch(other, None)
        self._beside.append(other)
        return other

    def close_beside(self) -> None:
        """End the sessions beside this one, and wait until the server has: their locks are free."""
        assert self._heartbeat is not None, "the run is ours"
        while self._beside:
            other = self._beside.pop()
            self._heartbeat.leave(other.work.waiting)
            renewal.hang_up(other.work.conn)

    def note_stop(self, message: str) -> None:
        """Record that the run was stopped; that this cannot be recorded changes nothing."""
        if self._run is not None:
            with contextlib.suppress(psycopg.Error):
                self.record("stopped", None, message)
