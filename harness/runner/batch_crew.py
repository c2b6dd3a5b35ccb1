"""A batch step that several workers share: ranges side by side, each with a checkpoint of its own.

A range is done as a step is that one worker does alone: its rows and how far it came commit
together. Which worker does which range is nobody's business: the ledger has how far each range is,
and whoever resumes goes on with those that are not done.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

import psycopg

from harness.core.errors import InfrastructureError
from harness.plan.apart import workers_of
from harness.runner import batch_step, ledger_range
from harness.runner.batch_cut import cut
from harness.runner.batch_step import BatchPosition, Sizer
from harness.runner.fenced_session import FencedSession
from harness.runner.ledger_range import RangeRow
from harness.runner.ledger_statements import checkpoint_sql
from harness.runner.retry import retrying
from harness.runner.session import RunnerSession
from harness.runner.step_work import SqlFailed, StepWork
from harness.runner.turns import Turns
from harness.runner.working import at_once

Turn = AbstractContextManager[None]


def run(work: StepWork) -> int:
    """Run the script over every range that is left; give the rows changed since it began."""
    settings, script = work.session.settings, work.script
    ranges = work.row.ranges if work.row is not None else ()
    workers = workers_of(settings, script)
    if not ranges and workers < 2:
        if settings.batch_workers > 1 and script.batch_workers is None:
            _tell_alone(work)
        return batch_step.run(work)
    about = batch_step.look(work).rows
    size = script.batch or settings.batch_rows
    ranges = ranges or retrying(work, lambda: cut(work, workers, about, size))
    if not ranges:  # too few rows to share
        return batch_step.run(work)
    crew = Crew(work, {one.number: one for one in ranges}, about)
    crew.run(workers)
    return retrying(work, crew.finish)


def _tell_alone(work: StepWork) -> None:
    words = "one worker does this step: from its text it may reach beyond the rows of its range"
    work.session.context.tell(
        "alone", work.id, message=f"{words}; where it does not, say so with a header batch_workers"
    )


@dataclass
class Crew:
    """The workers of a step: the runner's own session, and others beside it in threads."""

    work: StepWork
    ranges: dict[int, RangeRow]
    about: int
    failed: BaseException | None = None
    passed: dict[int, int] = field(default_factory=dict)
    _left: deque[RangeRow] = field(default_factory=deque)
    _moving: threading.Lock = field(default_factory=threading.Lock)

    def run(self, workers: int) -> None:
        """Do every range that is not done; raises what one of the workers failed with.

        The others then stop at their next commit.
        """
        for one in self.ranges.values():
            self.passed[one.number] = one.rows // max(len(self.work.script.statements), 1)
        self._left.extend(one for one in self.ranges.values() if one.state != "done")
        self.work.session.context.tell("measured", self.work.id, *self._reach())
        if not self._left:
            return
        own = self.work.session
        assert isinstance(own, RunnerSession), "the session that claimed the run"
        members = [own, *self._others(own, min(workers, len(self._left)) - 1)]
        with self._together(members) as turn:
            threads = [
                threading.Thread(
                    target=_unsignalled, args=(partial(self._serve, one, turn[n]),), daemon=True
                )
                for n, one in enumerate(members)
                if one is not own
            ]
            for thread in threads:
                thread.start()
            self._serve(own, turn[0])
            for thread in threads:
                thread.join()
        if self.failed is not None:
            raise self.failed
        own.close_beside()

    def _others(self, own: RunnerSession, number: int) -> Iterator[FencedSession]:
        """So many more sessions, or as many as are to be had."""
        for _ in range(number):
            try:
                yield own.open_beside()
            except InfrastructureError as refused:
                own.context.tell("fewer_workers", self.work.id, message=refused.message)
                return

    @contextmanager
    def _together(self, members: list[FencedSession]) -> Iterator[list[Turn]]:
        """Let the members work side by side, or each in its turn."""
        context = self.work.session.context
        stop, gate = context.stop, context.gate
        turn: list[Turn] = [nullcontext() for _ in members]
        context.gate = threading.Lock()
        if context.settings.batch_turns:
            turns = Turns(len(members))
            context.gate = nullcontext()  # who has it would wait for a turn, and others for it
            for number, member in enumerate(members):
                member.work.await_turn = partial(turns.pass_on, number)
                turn[number] = turns.of(number)
        context.stop = lambda: self.failed is not None or stop()
        try:
            yield turn
        finally:
            context.stop, context.gate = stop, gate
            for member in members:
                member.work.await_turn, member.held = at_once, None

    def _serve(self, session: FencedSession, turn: Turn) -> None:
        """Do one range after another, until there is none or somebody failed."""
        work = replace(self.work, session=session)
        sizer = Sizer(session.settings, work.script.batch)
        with turn:
            try:
                while (piece := self._next(work)) is not None:
                    session.held = piece
                    at = BatchPosition(
                        piece.last_key, piece.rows, piece.batches, goal=piece.upto_key
                    )
                    at.passed = self.passed[piece.number]
                    batch_step.walk(work, sizer, at, partial(self._moved, session))
            except BaseException as error:
                self.failed = self.failed or error

    def _next(self, work: StepWork) -> RangeRow | None:
        work.session.check_stop(work.id)
        with self._moving:
            return self._left.popleft() if self._left else None

    def _moved(self, session: FencedSession, at: BatchPosition) -> None:
        """Count what was committed, and say so."""
        assert session.held is not None, "it has just been moved"
        with self._moving:
            self.ranges[session.held.number] = session.held
            self.passed[session.held.number] = at.passed
            rows, words, reach = self._reach()
            session.context.tell("batch", self.work.id, rows, words, reach)

    def _reach(self) -> tuple[int, str, tuple[int, int]]:
        """The rows changed so far, and how many of how many the ranges went over."""
        row, before = self.work.row, 0
        if row is not None and row.last_key is not None:
            before = row.rows // max(len(self.work.script.statements), 1)
        passed = before + sum(self.passed.values())
        return self._rows(), "", (min(passed, self.about or passed), self.about)

    def _rows(self) -> int:
        begun = self.work.row.rows if self.work.row is not None else 0
        return begun + sum(one.rows for one in self.ranges.values())

    def finish(self) -> int:
        """Record that the step is done; how many rows it changed."""
        session, row, rows = self.work.session, self.work.row, self._rows()
        batches = (row.batches if row else 0) + sum(one.batches for one in self.ranges.values())
        last = max(one.last_key for one in self.ranges.values())
        done = self.work.checkpoint("done", last_key=last, rows=rows, batches=batches)
        try:
            with session.transaction(self.work.id):
                forgotten = ledger_range.forget_sql(session.run.id, self.work.id)
                session.commit(checkpoint_sql(done), forgotten)
        except psycopg.Error as error:
            raise SqlFailed(error, self.work.script, None) from error
        return rows


def _unsignalled(serve: Callable[[], None]) -> None:
    """Leave signals to the main thread, which alone can take them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    serve()
