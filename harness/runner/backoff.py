"""Which failures pass when one tries again, how often that is done, and how long between."""

from __future__ import annotations

import random

from harness.plan import RunnerSettings
from harness.poll import wait_until
from harness.runner.outcome import Stop

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
