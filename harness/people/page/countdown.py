"""What the page counts down to, as an instant: clocks that are put forward do not shorten it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.people.page.state import PageState


@dataclass(frozen=True)
class Countdown:
    """An instant that is waited for, and what will be then."""

    label: str
    to: datetime

    def left(self, now: datetime) -> timedelta:
        """What is left; nothing once it has passed."""
        # in UTC: two times of one zone are subtracted without their offsets
        return max(self.to.astimezone(UTC) - now.astimezone(UTC), timedelta())


def countdown_of(state: PageState) -> Countdown | None:
    """What is waited for: the begin, or the end; None where nobody can say when."""
    window = state.window
    if state.name in ("scheduled", "soon"):
        return Countdown("Begins in", window.start_utc)
    if state.expected_end is not None and not state.stale:
        return Countdown("Ends in about", state.expected_end)
    if state.name == "running" and not state.checking and not state.undoing:
        return Countdown("Planned to end in", window.end_utc)
    return None
