"""A window, its recipients and a sender's key, on a database that a plan was run on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from harness import runner
from harness.database import admin
from harness.people.mail.delivery import SentCounts
from harness.people.mail.key import held_key
from harness.people.mail.sender import MailJob, sending
from harness.people.mail.settings import MailSettings
from harness.people.window import MaintenanceWindow, UserChange
from harness.scenario.mails.explore import MailScene
from harness.scenario.mails.postbox import Answer, Postbox, port_of, serve_postbox, usual
from harness.scenario.mails.scene import make_scene
from harness.scenario.mails.striker import Striker
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


def mail_scene(root: Path, dsn: str, count: int) -> MailScene:
    """A plan was run; its window had just ended when it was done."""
    plan = plan_of(root, ("create table public.one (id int);", "drop table public.one;"))
    runner.migrate(dsn, plan)
    day = datetime(2031, 3, 15, 22, tzinfo=ZURICH)
    return make_scene(dsn, plan.name, planned(day, day + timedelta(hours=1)), count, root)


@contextmanager
def serving(answer: Answer = usual) -> Iterator[tuple[Postbox, int]]:
    """A postbox that serves in a thread of its own, and its port."""
    postbox = Postbox(Striker, answer)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # a line that is cut is what is tested
    server = loop.run_until_complete(serve_postbox(postbox))
    thread = threading.Thread(target=loop.run_forever, name="postbox")
    thread.start()

    async def end() -> None:
        server.close()
        await postbox.close()
        await server.wait_closed()

    try:
        yield postbox, port_of(server)
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def job_of(scene: MailScene, port: int, at: datetime, plan: str | None = None) -> MailJob:
    """What a sender has to do at that time."""
    settings = MailSettings(
        "status@example.com", "Status", "127.0.0.1", port, "none", timeout=120.0, retry=60.0
    )
    return MailJob(
        scene.dsn, scene.window, scene.recipients, settings, scene.unsubscribed, plan,
        clock=lambda: at,
    )  # fmt: skip


def send(scene: MailScene, port: int, at: datetime, plan: str | None = None) -> SentCounts:
    """What a sender that looks once at that time sends."""
    with held_key(scene.key) as key, sending(job_of(scene, port, at, plan), key) as sender:
        sender.tick()
        return sender.counts


def states(dsn: str) -> list[tuple[str, str, str]]:
    """Kind, state and reason of every mail in the ledger, in order."""
    with admin.connection(dsn) as conn:
        return conn.execute(
            "SELECT kind, state, reason FROM migration_mail.mail ORDER BY due_at, id"
        ).fetchall()
