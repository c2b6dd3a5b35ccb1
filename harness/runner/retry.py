"""Again, whole, after what may pass: locks not granted, deadlocks, serialization failures."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

import psycopg

from harness.errors import StepFailed
from harness.plan import RunnerSettings
from harness.poll import wait_until
from harness.runner.connection import first_words
from harness.runner.outcome import Stop
from harness.runner.work import SqlFailed, Work

T = TypeVar("T")
RETRYABLE = {"55P03", "40P01", "40001"}
TIMED_OUT = "57014"  # also retried, but not for ever as long: a slow statement stays slow
SLOW_RETRIES = 2


def may_retry(sqlstate: str | None, attempt: int, settings: RunnerSettings) -> bool:
    """Whether attempt number `attempt` that ended so is followed by another."""
    if sqlstate == TIMED_OUT:
        return attempt <= min(SLOW_RETRIES, settings.retries)
    return sqlstate in RETRYABLE and attempt <= settings.retries


def delay(attempt: int, settings: RunnerSettings) -> float:
    """Exponential backoff with jitter, in seconds."""
    longest = min(settings.retry_max, settings.retry_base * 2.0 ** min(attempt - 1, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def pause(seconds: float, stop: Stop) -> None:
    """Wait, but not longer than until somebody asks to stop."""
    try:
        wait_until(stop, seconds, "a stop", pause=0.02)
    except TimeoutError:
        return


def retrying(work: Work, attempt: Callable[[], T]) -> T:
    """Do `attempt`, which leaves nothing behind when it fails, until it succeeds or must not."""
    while True:
        try:
            return attempt()
        except SqlFailed as failure:
            give_up_or_wait(work, failure)


def give_up_or_wait(work: Work, failure: SqlFailed) -> None:
    """Count a failed attempt: wait before the next, or raise what a person should read."""
    session = work.session
    if session.lost(failure.error):
        raise failure.error
    session.check_stop(work.id)
    state = failure.error.sqlstate
    if not may_retry(state, work.attempts, session.settings):
        error = failure.explained(work.attempts)
        if isinstance(error, StepFailed):
            _note(work, str(error))
        raise error from failure.error
    reason = f"{first_words(failure.error)} ({state}), attempt {work.attempts}"
    session.context.tell("retry", work.id, message=reason)
    work.attempts += 1
    pause(delay(work.attempts - 1, session.settings), session.context.stop)
    session.check_stop(work.id)


def _note(work: Work, message: str) -> None:
    """Record the failure; that it cannot be recorded must not hide it."""
    try:
        work.session.record("step_failed", work.id, message)
    except psycopg.Error:
        return
