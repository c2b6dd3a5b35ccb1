"""How fast work goes and how long it will take, from what was seen of it here."""

from __future__ import annotations

from collections.abc import Callable

ENOUGH = 1.0  # seconds before a rate is believed


class MeanRate:
    """The mean rate since the first count. What an earlier run did is in no rate.

    The time of a standstill counts: the rate falls, and what is left grows.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._first: int | None = None
        self._done = self._total = 0

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return self._clock() - self._began

    def at(self, done: int, total: int) -> None:
        """Take in a count; the first one is where this run began."""
        if self._first is None or done < self._first:
            self._first, self._began = done, self._clock()
        self._done, self._total = done, total

    def rate(self) -> float | None:
        """How many a second, None while nobody knows."""
        mine = self._done - (self._first or 0)
        return mine / self.seconds if mine > 0 and self.seconds >= ENOUGH else None

    def left(self) -> float | None:
        """Seconds until the total, None where there is no rate, or no total that holds."""
        rate = self.rate()
        if rate is None or self._total < self._done or not self._total:
            return None
        return (self._total - self._done) / rate
