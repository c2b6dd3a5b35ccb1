"""A session that works on the claimed run: every transaction of it that writes asks the fence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from harness.core.errors import Stopped
from harness.plan import RunnerSettings, Script
from harness.runner import ledger_range, long_use, transaction
from harness.runner import ledger_statements as statements
from harness.runner.backoff import pause
from harness.runner.context import RunContext
from harness.runner.fence import heed_control, heed_fence
from harness.runner.ledger import Checkpoint, LedgerRun
from harness.runner.ledger_range import RangeRow
from harness.runner.long_use import LongUse, TableUser
from harness.runner.memory import refuse_more_memory
from harness.runner.wait_bound import WaitBound, bound_of
from harness.runner.working import Cursor, WorkingSession, next_rows

CONTROL_INTERVAL = 0.5


class FencedSession:
    """Works on a run, or on the range of it that is `held`; others may then work beside it."""

    work: WorkingSession

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.plan = context.plan
        self.bound = WaitBound()
        self.held: RangeRow | None = None
        self._run: LedgerRun | None = None

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
        fence = statements.fence_sql(self.run.id, self.run.epoch, self.held)
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
        with self.context.pausing(label, f"paused by {self.context.control.paused}"):
            while self.hear_control():
                self.check_stop(label)
                pause(CONTROL_INTERVAL, self.context.stop)

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

    def move_range(self, row: RangeRow) -> None:
        """Commit the transaction together with the checkpoint of the range that is held."""
        self.commit(ledger_range.range_sql(row))
        self.held = row

    def record(self, kind: str, step: str | None, message: str) -> None:
        """Write an event in a transaction of its own, if the run is still ours."""
        shared = self.held is not None
        event = statements.event_sql(
            self.run.id, self.run.epoch, kind, step, message, shared=shared
        )
        self.work.ask(event)
