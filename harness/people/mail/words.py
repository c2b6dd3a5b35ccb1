"""What each kind of mail says: subject, headline, and a sentence or two.

No sentence counts hours: a mail that comes late still says when the window begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class MailWords:
    """`subject` takes the window's title and day; `tone` is the colour of the headline's bar."""

    subject: str
    headline: str
    lead: str
    tone: str = "calm"
    shows_times: bool = True
    shows_changes: bool = False


WORDS: Final = {
    "reminder-24h": MailWords(
        "Planned: {title}, {day}",
        "Planned maintenance",
        "During this time you can read everything, but changes may be refused.",
        shows_changes=True,
    ),
    "reminder-2h": MailWords(
        "Soon: {title}, {day}",
        "Maintenance begins soon",
        "Please save your work before it begins. Changes may be refused until it ends.",
    ),
    "reminder-30m": MailWords(
        "Starting shortly: {title}, {day}",
        "Maintenance is about to begin",
        "Please save your work now. Changes may be refused until it ends.",
    ),
    "moved": MailWords(
        "New time: {title}, {day}",
        "The maintenance has a new time",
        "The time that we told you before is no longer right. This is the new one.",
        tone="attention",
    ),
    "cancelled": MailWords(
        "Cancelled: {title}",
        "The maintenance is cancelled",
        "It does not take place at the time that we told you. There is nothing for you to do.",
        tone="attention",
    ),
    "begun": MailWords(
        "Started: {title}",
        "The maintenance has begun",
        "Changes may be refused until it ends. We write again when it is over.",
    ),
    "late": MailWords(
        "Taking longer: {title}",
        "The maintenance takes longer than planned",
        "It is not over at the planned time. Your data is safe. We write again when it is over.",
        tone="attention",
    ),
    "done": MailWords(
        "Done: {title}",
        "The maintenance is over",
        "Everything is available again.",
        tone="good",
        shows_times=False,
        shows_changes=True,
    ),
    "rolled-back": MailWords(
        "Undone: {title}",
        "The maintenance was undone",
        "Everything is available again and works as it did before. We plan another time, and will"
        " tell you.",
        tone="attention",
        shows_times=False,
    ),
    "guide": MailWords(
        "What is new: {title}",
        "What is new for you",
        "The maintenance is over. This is what works in another way now.",
        tone="good",
        shows_times=False,
        shows_changes=True,
    ),
}
