"""The fence: who no longer holds the run writes nothing; its answer says what an operator asks."""

from __future__ import annotations

from harness.core.errors import AnotherRunnerError
from harness.runner.context import RunContext
from harness.runner.control_row import Control
from harness.runner.working import Cursor

ANSWERS = 2  # to a transaction's beginning: a lock is taken, then the fence is asked


class LedgerMovedError(Exception):
    """The last runner committed after the ledger was read: it is to be read anew."""


def heed_fence(context: RunContext, cursor: Cursor) -> bool:
    """Whether an operator asks to pause, from the answers to what began a transaction.

    Raises AnotherRunnerError when the run is not ours any more, Stopped when one asks to stop.
    """
    answers = 0
    while answers < ANSWERS and cursor.nextset():
        answers += cursor.description is not None
    if answers < ANSWERS or cursor.rowcount != 1:
        raise fenced_off()
    return heed_control(context, cursor)


def heed_control(context: RunContext, cursor: Cursor) -> bool:
    """Whether an operator asks to pause, from the run's row; raises as heed_fence does."""
    row = cursor.fetchone()
    if row is None:
        raise fenced_off()
    context.control = Control.read(None if row[1] is None else str(row[1]))
    context.control.refuse_stop()
    return bool(context.control.paused)


def fenced_off() -> AnotherRunnerError:
    """The error of a runner whose run another one has taken over."""
    return AnotherRunnerError(
        "another runner has taken this run over; nothing more was written here",
        hint="see `harness status`",
    )
