"""Kill a sender at each point, let the next one go on, and ask who got what: nothing lost or twice.

A mail may be twice, or be in doubt, only where the sender was killed between the mark in its
ledger and the answer to the final dot that it wrote down. The ledger says so then.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from harness.database import admin
from harness.fault.process import JobProcess, Tell, fork
from harness.people.mail.compose import MailToCompose, compose_mail
from harness.people.mail.key import SenderKey, held_key
from harness.people.mail.kind import KINDS
from harness.people.mail.sender import MailJob, MailSender
from harness.people.mail.settings import MailSettings
from harness.people.recipients import Recipient
from harness.people.unsubscribe import UnsubscribeList
from harness.people.window import MaintenanceWindow
from harness.scenario.mails.postbox import Postbox, TakenMail, port_of, serve_postbox
from harness.scenario.mails.striker import MailPoint, Striker
from harness.scenario.mails.wire import LedgerWire

PATIENCE: Final = 120.0
SenderClass = Callable[[MailJob, SenderKey], MailSender]
_ROWS: Final = """
SELECT recipient, kind, state, doubts, message_id FROM migration_mail.mail
WHERE window_id = %s AND state <> 'skipped' AND due_at <= %s
"""


@dataclass(frozen=True)
class MailStage:
    """A moment at which a sender looks: the time, and whether it sees the run of the plan."""

    at: datetime
    plan: str | None = None

    def clock(self) -> datetime:
        """The time, as a sender asks for it."""
        return self.at


@dataclass(frozen=True)
class MailScene:
    """Who is told what: a window, its stages, and the key of the database."""

    dsn: str
    key: Path
    window: MaintenanceWindow
    recipients: tuple[Recipient, ...]
    stages: tuple[MailStage, ...]
    unsubscribed: UnsubscribeList
    sender: SenderClass = MailSender


def stages_around(window: MaintenanceWindow, plan: str, done: datetime) -> tuple[MailStage, ...]:
    """Three reminders, late, done and the guide, by a clock that is told."""
    before = [one.before for one in KINDS.values() if one.before is not None]
    found = [MailStage(window.start_utc - ahead) for ahead in before]
    found.append(MailStage(window.end_utc + timedelta(seconds=1)))
    minute = timedelta(minutes=1)
    return (
        *found,
        MailStage(done + minute, plan),
        MailStage(done + timedelta(hours=1) + minute, plan),
    )


@dataclass(frozen=True)
class PointResult:
    """What came of a point: whether it was met, and each way in which it went wrong."""

    point: MailPoint
    fired: bool
    mails: int
    doubts: int
    flaws: tuple[str, ...] = ()


@dataclass
class Explorer:
    """Runs senders against one server and one database; each point has a window of its own."""

    scene: MailScene
    striker: Striker = field(default_factory=Striker)
    _rounds: int = 0

    def warm(self) -> None:
        """Make one mail, so that what is forked need not read the templates again."""
        who = self.scene.recipients[0]
        settings = MailSettings("status@example.com", "", "127.0.0.1", 25, "none")
        told = MailToCompose("guide", who, "<warm@example.com>", self.scene.stages[0].at)
        compose_mail(self.scene.window, settings, told)

    async def golden(self) -> list[MailPoint]:
        """Every point of a run that nobody disturbs."""
        self.warm()
        _, taken, _ = await self._round(None)
        wanted = len(self.scene.recipients) * len(self.scene.stages)
        assert len(taken) == wanted, f"{len(taken)} mails of {wanted} without any fault"
        return self.striker.points()

    async def explore(self, points: Sequence[MailPoint]) -> list[PointResult]:
        """What came of each point."""
        return [await self.judge(point) for point in points]

    async def judge(self, point: MailPoint) -> PointResult:
        """Kill a sender at a point, let the next go on, and judge what was taken."""
        rows, taken, fired = await self._round(point)
        flaws = list(_flaws(self.scene, rows, taken)) if fired else ["the point was not met"]
        doubts = sum(row[3] for row in rows)
        if doubts > self.striker.leaves_doubt:
            flaws.append(f"{doubts} mails are in doubt after {point} ({self.striker.struck})")
        return PointResult(point, fired, len(taken), doubts, tuple(flaws))

    async def _round(
        self, point: MailPoint | None
    ) -> tuple[list[tuple[Any, ...]], list[TakenMail], bool]:
        self._rounds += 1
        scene = self.scene
        window = replace(scene.window, id=f"{scene.window.id}-{self._rounds}-{id(self):x}")
        self.striker = Striker(point)
        postbox = Postbox(lambda: self.striker)
        server = await serve_postbox(postbox)
        wire = LedgerWire(scene.dsn, lambda: self.striker)
        try:
            settings = MailSettings(
                "status@example.com", "Status", "127.0.0.1", port_of(server), "none",
                timeout=PATIENCE, retry=0.001,
            )  # fmt: skip
            job = MailJob(
                await wire.serve(), window, scene.recipients, settings, scene.unsubscribed
            )
            reached = await self._run(job, 0)
            fired = self.striker.fired
            if fired:
                await self._run(job, reached)
        finally:
            await wire.close()
            server.close()
            await postbox.close()
            await server.wait_closed()
        with admin.connection(scene.dsn) as conn:
            rows = conn.execute(_ROWS, [window.id, scene.stages[-1].at]).fetchall()
        return rows, postbox.taken, fired

    async def _run(self, job: MailJob, first: int) -> int:
        """A sender through the stages, from one on; the stage that it came to."""
        with self._forked(job, first) as child:
            self.striker.pid = child.pid
            loop = asyncio.get_running_loop()
            ended = loop.create_future()

            def listen() -> None:
                if not child.listen() and not ended.done():
                    ended.set_result(None)

            loop.add_reader(child.fileno(), listen)
            try:
                await asyncio.wait_for(ended, PATIENCE)
            finally:
                loop.remove_reader(child.fileno())
            ending = child.wait()
            self.striker.pid = 0
            if not ending.done and not (self.striker.fired and ending.status < 0):
                raise AssertionError(f"a sender ended by itself: {ending}")
            return int(child.told[-1]) if child.told else first

    @contextmanager
    def _forked(self, job: MailJob, first: int) -> Iterator[JobProcess]:
        scene = self.scene

        def work(tell: Tell) -> None:
            with held_key(scene.key) as key:
                sender = scene.sender(job, key)
                for number in range(first, len(scene.stages)):
                    stage = scene.stages[number]
                    tell(number)
                    sender.job = replace(job, plan=stage.plan, clock=stage.clock)
                    if number == first:
                        sender.open()
                    sender.tick()
                sender.close()

        with fork(work) as child:
            yield child


def _flaws(
    scene: MailScene, rows: Sequence[tuple[Any, ...]], taken: Sequence[TakenMail]
) -> Iterator[str]:
    """Mails that are lost, or are twice without the ledger saying that they may be."""
    got = Counter(one.id for one in taken)
    ids = {row[4] for row in rows}
    yield from (f"a mail that the ledger does not know: {name}" for name in got if name not in ids)
    wanted = len(scene.recipients) * len(scene.stages)
    if len(rows) != wanted:
        yield f"{len(rows)} mails are in the ledger, of {wanted}"
    for recipient, kind, state, doubts, name in rows:
        times, about = got[name], f"{kind} to {recipient}, {state}"
        if times > 1 + doubts:
            yield f"{about}: taken {times} times with {doubts} doubts"
        if times > 1 and not KINDS[kind].repeats:
            yield f"{about}: a reminder was taken {times} times"
        if not times and not (state == "in doubt" and not KINDS[kind].repeats):
            yield f"{about}: lost"
        if state not in ("sent", "in doubt"):
            yield f"{about}: neither sent nor in doubt"


def sample(points: Sequence[MailPoint], count: int, seed: int) -> list[MailPoint]:
    """So many of the points, by a seed, in their order; all where there are no more."""
    if count >= len(points):
        return list(points)
    chosen = set(random.Random(seed).sample(range(len(points)), count))  # noqa: S311 - no secret
    return [point for number, point in enumerate(points) if number in chosen]
