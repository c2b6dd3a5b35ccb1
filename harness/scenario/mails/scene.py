"""A window around a run that is done: what its people are told is tried on the database of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from harness.core.errors import Refused
from harness.database import admin
from harness.people.mail.keeping import keep_key
from harness.people.mail.moment import read_moment
from harness.people.recipients import Recipient
from harness.people.unsubscribe import UnsubscribeList
from harness.people.window import MaintenanceWindow
from harness.scenario.mails.explore import MailScene, stages_around

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
ZONES: Final = ("Asia/Kolkata", "America/St_Johns", "Pacific/Chatham")


def people(count: int) -> tuple[Recipient, ...]:
    """So many recipients who are nobody, in zones with odd offsets."""
    return tuple(
        Recipient(f"user{n}@example.com", f"User {n}", ZoneInfo(ZONES[n % len(ZONES)]))
        for n in range(count)
    )


def make_scene(
    dsn: str, plan: str, window: MaintenanceWindow, count: int, directory: Path
) -> MailScene:
    """The window as if the last run of the plan had been done half an hour after its end.

    A key is made in the directory. Raises Refused where no run of the plan is done.
    """
    key = directory / "sender.key"
    keep_key(dsn, key, None)
    with admin.connection(dsn) as conn:
        run = read_moment(conn, plan, replace(window, start=LONG_AGO, end=LONG_AGO))
    if run is None or run.completed_at is None:
        raise Refused("no run of the plan is done here", hint="harness migrate")
    done = run.completed_at.replace(microsecond=0)
    start, end = (done - timedelta(minutes=minutes) for minutes in (60, 30))
    around = replace(
        window, start=start.astimezone(window.zone), end=end.astimezone(window.zone),
        revision=1, cancelled=False,
    )  # fmt: skip
    return MailScene(
        dsn, key, around, people(count), stages_around(around, plan, done),
        UnsubscribeList(directory / "unsubscribe"),
    )  # fmt: skip
