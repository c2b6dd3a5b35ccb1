"""How fast work goes and how long it will take, from what was seen of it here."""

from __future__ import annotations

from collections.abc import Callable

ENOUGH = 1.0  # seconds before a rate is believed


class MeanRate:
    """The mean rate since the first count. What an earlier run did is in no rate.

    The time of a standstill counts: the rate falls, and what is left grows. A time that was asked
    for, a pause or a throttle, does not: how long that will take nobody can know.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._first: int | None = None
        self._done = self._total = 0
        self._idle = 0.0
        self._idle_since: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return self._clock() - self._began

    @property
    def worked(self) -> float:
        """How long of this it was not held back."""
        now = self._clock()
        held = 0.0 if self._idle_since is None else now - self._idle_since
        return now - self._began - self._idle - held

    @property
    def held(self) -> bool:
        """Whether it is held back now."""
        return self._idle_since is not None

    def hold(self) -> None:
        """From now on it is held back."""
        if self._idle_since is None:
            self._idle_since = self._clock()

    def release(self) -> None:
        """It goes on."""
        if self._idle_since is not None:
            self._idle += self._clock() - self._idle_since
            self._idle_since = None

    def at(self, done: int, total: int) -> None:
        """Take in a count; the first one is where this run began."""
        if self._first is None or done < self._first:
            self._first, self._began, self._idle = done, self._clock(), 0.0
            self._idle_since = None if self._idle_since is None else self._began
        self._done, self._total = done, total

    def rate(self) -> float | None:
        """How many a second, None while nobody knows."""
        mine, worked = self._done - (self._first or 0), self.worked
        return mine / worked if mine > 0 and worked >= ENOUGH else None

    def left(self) -> float | None:
        """Seconds until the total, None where there is no rate, or no total that holds."""
        rate = self.rate()
        if rate is None or self._total < self._done or not self._total:
            return None
        return (self._total - self._done) / rate
