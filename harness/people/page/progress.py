"""How much of a run is done: a percentage that never falls, and 100 only once it was verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from harness.people.page.reading import LedgerReading, RunReading

UNVERIFIED: Final = 99
"""No run is further than this before `harness verify` has passed."""

BELIEVED: Final = 0.05
"""A share from which on it is said when a run will end."""


@dataclass
class HighWater:
    """The furthest that each run was seen to be; an estimate of rows may shrink it, a page not."""

    percents: dict[str, int] = field(default_factory=dict)

    def raise_to(self, run: str, percent: int) -> int:
        """The furthest percentage of a run, this one included."""
        found = max(percent, self.percents.get(run, 0))
        self.percents[run] = found
        return found


def share_done(run: RunReading) -> float:
    """How much of the plan's steps a run has done, from 0 to 1."""
    if run.completed is not None:
        return 1.0
    return sum(step.share for step in run.steps) / max(len(run.steps), 1)


def percent_done(run: RunReading, *, verified: bool) -> int:
    """The same in whole percents, rounded down; a run that was not verified is never at 100."""
    return 100 if verified else min(int(share_done(run) * 100), UNVERIFIED)


def expected_end(reading: LedgerReading) -> datetime | None:
    """When the run will end at its mean pace; None where that cannot be known yet."""
    run = reading.run
    if run is None or run.completed is not None or not reading.at_work:
        return None
    share = share_done(run)
    taken = reading.at - run.started
    if not BELIEVED <= share < 1.0 or taken < timedelta(seconds=2):
        return None
    return reading.at + taken * ((1.0 - share) / share)
