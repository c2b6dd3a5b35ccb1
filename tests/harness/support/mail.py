"""A window, its recipients and a sender's key, on a database that a plan was run on."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from harness import runner
from harness.database import admin
from harness.people.mail.keeping import keep_key
from harness.people.mail.moment import read_moment
from harness.people.recipients import Recipient
from harness.people.unsubscribe import UnsubscribeList
from harness.people.window import MaintenanceWindow, UserChange
from harness.scenario.mails.explore import MailScene, stages_around
from tests.harness.support.runner import plan_of

ZURICH = ZoneInfo("Europe/Zurich")


def planned(start: datetime, end: datetime) -> MaintenanceWindow:
    """A window of those times."""
    return MaintenanceWindow(
        path=Path("window.toml"),
        id="harvest",
        revision=1,
        title="Accounts get a new home",
        zone=ZURICH,
        start=start.astimezone(ZURICH),
        end=end.astimezone(ZURICH),
        support="help@example.com",
        changes=(UserChange("names", "Accounts are called customers"),),
        page_url="https://status.example.com/harvest",
    )


def people(count: int) -> tuple[Recipient, ...]:
    """So many recipients."""
    zone = ZoneInfo("America/New_York")
    return tuple(Recipient(f"user{n}@example.com", f"User {n}", zone) for n in range(count))


def mail_scene(root: Path, dsn: str, count: int) -> MailScene:
    """A plan was run; its window had just ended when it was done."""
    plan = plan_of(root, ("create table public.one (id int);", "drop table public.one;"))
    runner.migrate(dsn, plan)
    key = root / "sender.key"
    keep_key(dsn, key, None)
    far = planned(datetime(2000, 1, 1, tzinfo=ZURICH), datetime(2000, 1, 2, tzinfo=ZURICH))
    with admin.connection(dsn) as conn:
        run = read_moment(conn, plan.name, far)
    assert run is not None
    assert run.completed_at is not None
    done = run.completed_at.replace(microsecond=0)
    window = planned(done - timedelta(hours=1), done - timedelta(minutes=30))
    return MailScene(
        dsn, key, window, people(count), stages_around(window, plan.name, done),
        UnsubscribeList(root / "unsubscribe"),
    )  # fmt: skip
