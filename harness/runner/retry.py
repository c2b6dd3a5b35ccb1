"""Again, whole, after what may pass: locks not granted, deadlocks, serialization failures."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from harness.core.errors import HarnessError, StepFailed, Stopped
from harness.core.sqlstate import LOCK_NOT_AVAILABLE, QUERY_CANCELED, TRANSACTION_TIMEOUT
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
    victim = session.bound.victim() if failure.error.sqlstate == QUERY_CANCELED else ""
    state = LOCK_NOT_AVAILABLE if victim else failure.error.sqlstate
    rest = _rest(work, state)
    if rest is None:
        raise _given_up(work, failure, victim) from failure.error
    reason = f"{victim or first_words(failure.error)} ({state}), attempt {work.attempts}"
    session.context.tell("retry", work.id, message=reason)
    work.attempts += 1
    pause(rest, session.context.stop)
    session.check_stop(work.id)


def _rest(work: StepWork, state: str | None) -> float | None:
    """How long to rest before the next attempt; None when there is none.

    After short pauses come long ones, where it is locks that are wanted: users are left in peace.
    """
    settings, now = work.session.settings, time.monotonic()
    work.failing = now if work.failing is None else work.failing
    if may_retry(state, work.attempts, settings):
        return delay(work.attempts, settings)
    if (
        state == LOCK_NOT_AVAILABLE
        and now - work.failing + settings.lock_calm < settings.lock_total
    ):
        return settings.lock_calm
    return None


def _given_up(work: StepWork, failure: SqlFailed, victim: str) -> HarnessError:
    """What a person should read; recorded, too."""
    error = failure.explained(work.attempts)
    if victim:
        return Stopped(
            f"{victim}; rolled back each time, in {work.attempts} attempts",
            where=error.where,
            hint="take the locks late and do the work outside of them, or run the same again when"
            " fewer users are at work",
        )
    if failure.error.sqlstate == LOCK_NOT_AVAILABLE and work.session.settings.lock_total:
        return Stopped(error.message, where=error.where, hint=error.hint)
    if isinstance(error, StepFailed):
        note_failure(work, str(error))
    return error


def note_failure(work: StepWork, message: str) -> None:
    """Record the failure; that it cannot be recorded must not hide it."""
    try:
        work.session.record("step_failed", work.id, message)
    except psycopg.Error:
        return
