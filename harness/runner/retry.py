"""Again, whole, after what may pass: locks not granted, deadlocks, serialization failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg

from harness.core.errors import StepFailed
from harness.core.sqlstate import TRANSACTION_TIMEOUT
from harness.runner.backoff import delay, may_retry, pause
from harness.runner.connection import first_words
from harness.runner.step_work import SqlFailed, StepWork

T = TypeVar("T")


def retrying(work: StepWork, attempt: Callable[[], T]) -> T:
    """Do `attempt`, which leaves nothing behind when it fails, until it succeeds or must not."""
    while True:
        try:
            return attempt()
        except SqlFailed as failure:
            give_up_or_wait(work, failure)


def give_up_or_wait(work: StepWork, failure: SqlFailed) -> None:
    """Count a failed attempt: wait before the next, or raise what a person should read."""
    session = work.session
    # The runner's sessions have no transaction_timeout: the script has set this one.
    if failure.error.sqlstate == TRANSACTION_TIMEOUT:
        raise failure.explained(work.attempts) from failure.error
    if session.lost(failure.error):
        raise failure.error
    session.check_stop(work.id)
    state = failure.error.sqlstate
    if not may_retry(state, work.attempts, session.settings):
        error = failure.explained(work.attempts)
        if isinstance(error, StepFailed):
            note_failure(work, str(error))
        raise error from failure.error
    reason = f"{first_words(failure.error)} ({state}), attempt {work.attempts}"
    session.context.tell("retry", work.id, message=reason)
    work.attempts += 1
    pause(delay(work.attempts - 1, session.settings), session.context.stop)
    session.check_stop(work.id)


def note_failure(work: StepWork, message: str) -> None:
    """Record the failure; that it cannot be recorded must not hide it."""
    try:
        work.session.record("step_failed", work.id, message)
    except psycopg.Error:
        return
