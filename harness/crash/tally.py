"""How many points are done, counted over all worker processes while their tasks still run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from harness.core.quantity import time_left

EVERY = 10.0  # seconds between two lines of a log

_counter: Any = None


def count_in(counter: Any) -> None:
    """Count in this number, which processes share."""
    global _counter  # one for each worker process, set when it begins
    _counter = counter


def point_done() -> None:
    """Count one more point; where nobody counts, nothing."""
    if _counter is not None:
        with _counter.get_lock():
            _counter.value += 1


class ProgressLines:
    """Says a line when something else is done, and every ten seconds how far it has come."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic):
        self._say, self._clock = say, clock
        self._what, self._began, self._said = "", clock(), clock()

    def told(self, what: str, done: int, total: int) -> None:
        """Take in what is being done, and how many of how many points are done."""
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._said = what, now, now
            self._say(f"{what}: {total:,} points" if total else what)
        elif now - self._said >= EVERY:
            self._said = now
            self._say(_line(what, done, total, now - self._began))


def _line(what: str, done: int, total: int, seconds: float) -> str:
    if not total:
        return f"{what}, {seconds:.0f} s"
    if not done:
        return f"{what}: 0 of {total:,} points, {seconds:.0f} s"
    rate, left = done / seconds, (total - done) * seconds / done
    eta = time_left(left)
    return f"{what}: {done:,} of {total:,} points, {rate:.1f} a second, about {eta} left"
