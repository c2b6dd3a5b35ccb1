"""A sender is killed anywhere: no mail is lost, and none is twice but where the ledger says so.

Three senders with a planted defect are each found, at the point that shows it.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from harness.people.mail.book import BookedMail
from harness.people.mail.delivery import Delivery
from harness.people.mail.sender import MailSender
from harness.scenario.mails.explore import Explorer, MailScene, PointResult, SenderClass, sample
from harness.scenario.mails.striker import DOT, MailPoint, Moment
from tests.harness.support.mail import mail_scene
from tests.harness.support.thorough import EXHAUSTIVE, SEED

SAMPLE = 8
EVERY = 100_000


def explored(scene: MailScene, count: int) -> list[PointResult]:
    """So many points of a scene, or all."""

    async def explore() -> list[PointResult]:
        explorer = Explorer(scene)
        return await explorer.explore(sample(await explorer.golden(), count, SEED))

    return asyncio.run(explore())


def flaws(results: list[PointResult]) -> list[str]:
    return [f"{one.point}: {flaw}" for one in results for flaw in one.flaws]


def test_no_mail_is_lost_or_twice_wherever_the_sender_is_killed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    if EXHAUSTIVE:
        results = explored(mail_scene(tmp_path, harness_empty_database, 6), EVERY)
        assert len(results) >= 500
        assert sum(one.doubts for one in results) > 0
    else:
        scene = mail_scene(tmp_path, harness_empty_database, 1)
        results = explored(replace(scene, stages=scene.stages[2:5]), SAMPLE)
        assert len(results) == SAMPLE
    assert flaws(results) == []


class MarksBefore(Delivery):
    """Writes down that a mail is sent, and then sends it."""

    def deliver(self, mail: BookedMail, now: datetime) -> None:
        self._settle(mail, "sent", "", now)
        self.transport.offer(self.compose(mail, now), mail.address)
        self.transport.finish()


class MarksAfter(Delivery):
    """Sends a mail, and then writes it down: between the two nothing is in doubt."""

    def mark(self, mail: BookedMail, now: datetime) -> bool:
        return mail.deadline > now


class NewId(Delivery):
    """Gives each try a Message-ID of its own."""

    def deliver(self, mail: BookedMail, now: datetime) -> None:
        made = self.compose

        def compose(mail: BookedMail, now: datetime) -> EmailMessage:
            message = made(mail, now)
            message.replace_header("Message-ID", f"<{os.urandom(8).hex()}@example.com>")
            return message

        self.compose = compose
        try:
            super().deliver(mail, now)
        finally:
            self.compose = made


def sender_with(planted: type[Delivery]) -> SenderClass:
    """Makes senders that deliver in that way."""

    class PlantedSender(MailSender):
        def open(self) -> None:
            super().open()
            self._delivery = planted(**vars(self.delivery))

    return PlantedSender


@pytest.mark.parametrize(
    ("planted", "moment", "said"),
    [
        (MarksBefore, "before", "done to user0@example.com, sent: lost"),
        (MarksAfter, "after", "done to user0@example.com, sent: taken 2 times with 0 doubts"),
        (NewId, "after", "a mail that the ledger does not know"),
    ],
)
def test_a_planted_defect_of_the_sender_is_found(
    tmp_path: Path,
    harness_empty_database: str,
    planted: type[Delivery],
    moment: Moment,
    said: str,
) -> None:
    scene = mail_scene(tmp_path, harness_empty_database, 1)
    scene = replace(scene, stages=scene.stages[4:5], sender=sender_with(planted))

    async def judge() -> PointResult:
        explorer = Explorer(scene)
        await explorer.golden()
        verbs = [verb for wire, verb in explorer.striker.seen if wire == "smtp"]
        return await explorer.judge(MailPoint("smtp", verbs.index(DOT), moment))

    found = asyncio.run(judge())
    assert found.fired
    assert any(said in flaw for flaw in found.flaws), found
