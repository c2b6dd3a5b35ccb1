"""A batch step: ranges of a key, each committed together with the last key it reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.numeric import Int8

from harness.core.sqlstate import TIMED_OUT
from harness.plan import RunnerSettings, Statement
from harness.plan.ranges import column, relation
from harness.runner import keys
from harness.runner.backoff import pause
from harness.runner.keys import LOWEST
from harness.runner.ledger import Checkpoint
from harness.runner.retry import give_up_or_wait
from harness.runner.step_work import SqlFailed, StepWork, changed
from harness.runner.throttle import hold_back


class Sizer:
    """How many rows the next batch takes: grows slowly to a target time, halves on timeouts."""

    def __init__(self, settings: RunnerSettings, rows: int | None) -> None:
        self._settings = settings
        self._configured = rows or settings.batch_rows
        self._least = min(settings.batch_min_rows, self._configured)
        self.rows = self._configured

    def took(self, seconds: float) -> None:
        """Learn from a batch that was committed."""
        settings = self._settings
        if not settings.adaptive:
            self.rows = min(self._configured, self.rows * 5 // 4 + 1)
        elif seconds < settings.batch_target / 2:
            self.rows = min(max(settings.batch_max_rows, self._configured), self.rows * 5 // 4 + 1)
        elif seconds > settings.batch_target:
            self.rows = max(self._least, self.rows * 3 // 4)

    def retune(self, settings: RunnerSettings) -> None:
        """Learn what an operator has set; a size set anew is the next batch's."""
        if settings.batch_rows != self._settings.batch_rows:
            self.rows = self._configured = settings.batch_rows
        self._settings = settings
        self._least = min(settings.batch_min_rows, self._configured)

    def held(self) -> None:
        """Learn that batches had to wait: the next ones are smaller."""
        if self._settings.adaptive:
            self.rows = max(self._least, self.rows // 2)

    def timed_out(self) -> bool:
        """Learn from a batch that waited too long; False when it cannot be made smaller."""
        before, self.rows = self.rows, max(self._least, self.rows // 2)
        return self.rows < before


@dataclass
class BatchPosition:
    """Where it is; `passed` of about `total` rows of the table lie behind, 0 where nobody knows.

    `goal` is the highest key there was when this runner began with the step; None before it knows.
    """

    last_key: int
    rows: int
    batches: int
    passed: int = 0
    total: int = 0
    goal: int | None = None


Tell = Callable[[BatchPosition], None]


def run(work: StepWork) -> int:
    """Run the script over every range that is left; give the rows changed since it began."""
    session = work.session
    sizer = Sizer(session.settings, work.script.batch)
    row = work.row
    at = BatchPosition(LOWEST, 0, 0)
    if row is not None and row.last_key is not None:
        at = BatchPosition(row.last_key, row.rows, row.batches)
    at.total = look(work).rows
    at.passed = min(at.rows // max(len(work.script.statements), 1), at.total or at.rows)
    session.context.tell("measured", work.id, at.rows, reach=(at.passed, at.total))
    walk(work, sizer, at)
    return at.rows


def walk(work: StepWork, sizer: Sizer, at: BatchPosition, tell: Tell | None = None) -> None:
    """Do every range that is left behind a position, which moves; `tell` is told of each."""
    session = work.session
    while True:
        session.check_stop(work.id)
        sizer.retune(session.settings)
        with session.context.gate:
            held_back = hold_back(session, work.id)
        if held_back:
            sizer.held()
        try:
            began = time.monotonic()
            before = at.batches
            last = _batch(work, sizer.rows, at)
            if at.batches > before:
                took = time.monotonic() - began
                sizer.took(took)
                work.succeeded()
                if tell is not None:
                    tell(at)
                else:
                    session.context.tell("batch", work.id, at.rows, reach=(at.passed, at.total))
            if last:
                return
            if at.batches > before:
                pause(rest(took, work.script.duty), session.context.stop)
        except SqlFailed as failure:
            if failure.error.sqlstate in TIMED_OUT:
                work.attempts = 1 if sizer.timed_out() else work.attempts
            give_up_or_wait(work, failure)


def rest(took: float, duty: int) -> float:
    """How long to rest after a batch, so that `duty` percent of the time are work."""
    return took * (100 - duty) / duty


def look(work: StepWork) -> keys.Key:
    """What is known of the key; Refused, before anything is written, when a row has no range."""
    row: Any
    try:
        row = work.session.work.ask(keys.look_sql([work.script]), work.script).fetchone()
    except psycopg.Error as error:
        if work.session.lost(error):
            raise
        raise SqlFailed(error, work.script, None).explained(1) from error
    assert row is not None, "one row for each script"
    keys.refuse(work.script, row)
    return keys.Key(*row)


def _batch(work: StepWork, size: int, at: BatchPosition) -> bool:
    """Do one range and move `at`; True when it was the last one and the step is done.

    A range shorter than asked for is the last, and none goes beyond the highest key of the
    beginning: rows that users add meanwhile are the business of the plan's triggers, and who goes
    after them never ends where they come faster than they are done.
    """
    session, script = work.session, work.script
    statement: Statement | None = script.statements[0]
    try:
        with session.transaction(work.id, script, _upto(work, size, at)) as answer:
            upto, count, lowest, goal = _range(answer.fetchone())
            if lowest:
                keys.refuse_lowest(script)
            if upto is None:
                _keep(work, "done", at)
                return True
            held = session.held
            ends = count < size or (held is not None and upto >= held.upto_key)
            state = "done" if ends else "running"
            bounds: dict[str, object] = {"after": Int8(at.last_key), "upto": Int8(upto)}
            rows = 0
            for statement in script.statements:
                rows += changed(session.work.execute(statement.text.encode(), bounds))
            statement = None
            reached = BatchPosition(upto, at.rows + rows, at.batches + 1)
            _keep(work, state, reached)
    except psycopg.Error as error:
        raise SqlFailed(error, script, statement) from error
    at.last_key, at.rows, at.batches = reached.last_key, reached.rows, reached.batches
    at.passed += count
    at.goal = goal
    return state == "done"


def _upto(work: StepWork, size: int, at: BatchPosition) -> sql.Composed:
    """The key that ends the next range, the last of the next `size` rows; their number; the goal.

    The goal is asked for in the same message: one more would be one more point to be struck at. It
    has one form, whether the goal is known or not: a strike recognises its message by it.
    """
    script, after = work.script, at.last_key
    key, table = sql.Identifier(column(script)), sql.Identifier(*relation(script))
    goal = sql.SQL("coalesce({}::bigint, (SELECT pg_catalog.max({}) FROM {})::bigint)").format(
        sql.Literal(at.goal), key, table
    )
    behind = sql.SQL(">=" if after == LOWEST else ">")
    return sql.SQL(
        "SELECT pg_catalog.max(r.k)::bigint, pg_catalog.count(*),"
        " coalesce(pg_catalog.min(r.k) = {lowest}, false), {goal}"
        " FROM (SELECT {key} AS k FROM {table}"
        " WHERE {key} {behind} {after} AND {key} <= {goal} ORDER BY {key} LIMIT {size}) AS r"
    ).format(
        key=key,
        table=table,
        behind=behind,
        lowest=sql.Literal(LOWEST),
        after=sql.Literal(after),
        goal=goal,
        size=sql.Literal(size),
    )


def _range(row: tuple[object, ...] | None) -> tuple[int | None, int, bool, int | None]:
    assert row is not None, "an aggregate gives one row"
    upto, count, lowest, goal = row
    return _whole(upto), int(str(count)), bool(lowest), _whole(goal)


def _whole(number: object) -> int | None:
    return None if number is None else int(str(number))


def _keep(work: StepWork, state: str, at: BatchPosition) -> None:
    """Commit the checkpoint of the step, or of the range of it that the session holds."""
    held = work.session.held
    if held is None:
        work.session.checkpoint(_checkpoint(work, state, at))
    else:
        work.session.move_range(held.moved(state, at.last_key, at.rows, at.batches))


def _checkpoint(work: StepWork, state: str, at: BatchPosition) -> Checkpoint:
    key = None if at.batches == 0 else at.last_key
    return work.checkpoint(state, last_key=key, rows=at.rows, batches=at.batches)
