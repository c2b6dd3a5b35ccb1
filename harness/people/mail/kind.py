"""The kinds of mails, and what is done with one of which nobody knows whether it arrived."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class MailKind:
    """A kind of mail. `repeats`: one in doubt is sent again, with the Message-ID that it had.

    `before`: of a reminder, how long before the start it is due.
    """

    name: str
    title: str
    repeats: bool = True
    before: timedelta | None = None


REMINDERS: Final = (
    MailKind("reminder-24h", "a day before", repeats=False, before=timedelta(hours=24)),
    MailKind("reminder-2h", "two hours before", repeats=False, before=timedelta(hours=2)),
    MailKind("reminder-30m", "half an hour before", repeats=False, before=timedelta(minutes=30)),
)
MOVED: Final = MailKind("moved", "the window is another one")
CANCELLED: Final = MailKind("cancelled", "the window is called off")
BEGUN: Final = MailKind("begun", "the work has begun")
LATE: Final = MailKind("late", "it takes longer than planned")
DONE: Final = MailKind("done", "the work is done")
ROLLED_BACK: Final = MailKind("rolled-back", "everything is as it was before")
GUIDE: Final = MailKind("guide", "what is other now")

KINDS: Final = {
    kind.name: kind
    for kind in (*REMINDERS, MOVED, CANCELLED, BEGUN, LATE, DONE, ROLLED_BACK, GUIDE)
}
"""Every kind by its name, in the order of a window."""
