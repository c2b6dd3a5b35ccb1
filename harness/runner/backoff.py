"""Which failures pass when one tries again, how often that is done, and how long between."""

from __future__ import annotations

import random

from harness.core.poll import wait_until
from harness.core.sqlstate import advice_for
from harness.plan import RunnerSettings
from harness.runner.outcome import Stop

BRIEF_RETRIES = 2


def may_retry(sqlstate: str | None, attempt: int, settings: RunnerSettings) -> bool:
    """Whether attempt number `attempt` that ended so is followed by another."""
    allowed = {
        "never": 0,
        "briefly": min(BRIEF_RETRIES, settings.retries),
        "patiently": settings.retries,
    }
    return attempt <= allowed[advice_for(sqlstate).retry]


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
