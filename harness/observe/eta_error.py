"""How far what was said of the time left was off, known when it is over."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.observe.pace import MeanRate

if TYPE_CHECKING:
    from harness.runner import Event

HOLDS = ("paused", "throttled", "long_use")
RELEASES = ("pause_ended", "throttle_ended", "long_use_ended")
UNTOLD = 0.1  # of a step's work: its first estimates are not judged


@dataclass(frozen=True)
class ToldTime:
    """What was said to be left when so much was done, after so many seconds of work."""

    done: int
    worked: float
    left: float


def errors_of(told: list[ToldTime], first: int, last: int, took: float) -> list[float]:
    """By how much of the time that was really left each estimate was off, after the first tenth.

    `first` and `last` are the counts at which the work began and ended, `took` its seconds.
    """
    judged = [one for one in told if one.done - first >= UNTOLD * (last - first)]
    return [
        abs(one.left - (took - one.worked)) / (took - one.worked)
        for one in judged
        if took > one.worked
    ]


class EtaErrors:
    """Receives the runner's events; each step with batches is judged when it ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: list[float] = []
        self._forget()

    def _forget(self) -> None:
        self._pace = MeanRate(self._clock)
        self._told: list[ToldTime] = []
        self._first = self._last = 0
        self._took = 0.0

    def receive(self, event: Event) -> None:
        """Take in one event."""
        if event.kind in HOLDS:
            self._pace.hold()
        elif event.kind in RELEASES:
            self._pace.release()
        elif event.kind == "measured":
            self._forget()
            self._first = self._last = event.done
            self._pace.at(event.done, event.total)
        elif event.kind == "batch":
            self._batch(event)
        elif event.kind == "step_done":
            self._found += errors_of(self._told, self._first, self._last, self._took)
            self._forget()

    def _batch(self, event: Event) -> None:
        self._pace.at(event.done, event.total)
        self._last, self._took = event.done, self._pace.worked
        left = self._pace.left()
        if left is not None:
            self._told.append(ToldTime(event.done, self._took, left))

    def median_percent(self) -> float | None:
        """The median error in percent; None where nothing was said, or nothing ended yet."""
        return round(100 * statistics.median(self._found), 1) if self._found else None
