"""The time of a comparison: what does not fit is left out by name, and never by fewer pairs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LIMIT: Final = 570.0
"""Seconds of a comparison that names no benchmarks: ten minutes, less what the report takes."""


@dataclass(frozen=True)
class TimeBudget:
    """When it must be done, by the monotonic clock."""

    deadline: float = math.inf

    @property
    def is_limited(self) -> bool:
        """Whether there is a deadline at all."""
        return not math.isinf(self.deadline)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.deadline - time.monotonic()

    @property
    def patience(self) -> float | None:
        """How long an answer may be waited for, None for ever: some seconds beyond the deadline."""
        return max(0.0, self.left + 20) if self.is_limited else None


@dataclass(frozen=True)
class TimeNeed:
    """Seconds that a benchmark still needs, and those of a whole round of it."""

    still: float
    whole: float


def drop_beyond(
    needs: Mapping[str, TimeNeed], left: float, *, opening: float = 0.0, confirm: bool = True
) -> list[str]:
    """The benchmarks that do not fit into the time, the one that needs most first.

    With `confirm` there is room for a second round of any one of those that stay; `opening` is what
    servers take that are still to be started, in either round.
    """
    stay, dropped = dict(needs), []
    while stay:
        needed = opening + sum(one.still for one in stay.values())
        if confirm:
            needed += opening + max(one.whole for one in stay.values())
        if needed <= left:
            break
        most = max(stay, key=lambda name: stay[name].still)
        dropped.append(most)
        del stay[most]
    return dropped
