"""Which mails a window has at a moment: when each is due, until when, and which are past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from harness.people.mail import kind as kinds
from harness.people.mail.kind import MailKind
from harness.people.mail.moment import RunMoment
from harness.people.window import MaintenanceWindow

AFTER_END: Final = timedelta(hours=12)  # how long the news that it is late is news
OUTCOME: Final = timedelta(hours=24)
GUIDE_AFTER: Final = timedelta(hours=1)
GUIDE_UNTIL: Final = timedelta(hours=72)


@dataclass(frozen=True)
class Occasion:
    """A mail that everybody gets: its kind, the run that it tells of (0: of the plan), its times.

    From `deadline` on it is not sent any more. `past` is why it is not sent although it is not.
    `told_only`: only who has been told of the window gets it.
    """

    kind: MailKind
    due: datetime
    deadline: datetime
    run: int = 0
    past: str = ""
    told_only: bool = False


@dataclass(frozen=True)
class WindowMoment:
    """A window at a moment. `seen`: when this revision of it was first seen by a sender."""

    window: MaintenanceWindow
    seen: datetime
    run: RunMoment | None = None


def occasions(moment: WindowMoment) -> list[Occasion]:
    """Every mail of the window as far as it is known, in the order in which they are due."""
    found = [*_of_the_plan(moment), *_of_the_run(moment)]
    return sorted(found, key=lambda one: one.due)


def _of_the_plan(moment: WindowMoment) -> Iterator[Occasion]:
    window = moment.window
    if window.cancelled:
        deadline = max(window.end_utc, moment.seen + OUTCOME)
        yield Occasion(kinds.CANCELLED, moment.seen, deadline, told_only=True)
        return
    if window.revision > 1:
        yield Occasion(kinds.MOVED, moment.seen, window.end_utc, told_only=True)
    yield from _reminders(moment)


def _reminders(moment: WindowMoment) -> Iterator[Occasion]:
    # each holds until the next one is due: however late the sender starts, there is one at a time
    start = moment.window.start_utc
    ends = [start - (one.before or timedelta()) for one in kinds.REMINDERS[1:]] + [start]
    past = "the work has begun" if moment.run else ""
    for kind, deadline in zip(kinds.REMINDERS, ends, strict=True):
        assert kind.before is not None, "a reminder"
        yield Occasion(kind, start - kind.before, deadline, past=past)


def _of_the_run(moment: WindowMoment) -> Iterator[Occasion]:
    run, window = moment.run, moment.window
    if window.cancelled and run is None:
        return
    if run is not None and run.direction == "forward":
        yield from _of_a_forward_run(run, window)
    if run is not None and run.direction == "rollback" and run.completed_at is not None:
        ended = run.completed_at
        yield Occasion(kinds.ROLLED_BACK, ended, ended + OUTCOME, run.id)
    past = "it is over" if run is not None and run.is_over else ""
    yield Occasion(kinds.LATE, window.end_utc, window.end_utc + AFTER_END, past=past)


def _of_a_forward_run(run: RunMoment, window: MaintenanceWindow) -> Iterator[Occasion]:
    until = max(window.end_utc, run.started_at + GUIDE_AFTER)
    past = "it is over already" if run.is_over else ""
    yield Occasion(kinds.BEGUN, run.started_at, until, run.id, past)
    if run.completed_at is not None:
        ended = run.completed_at
        yield Occasion(kinds.DONE, ended, ended + OUTCOME, run.id)
        yield Occasion(kinds.GUIDE, ended + GUIDE_AFTER, ended + GUIDE_UNTIL, run.id)
