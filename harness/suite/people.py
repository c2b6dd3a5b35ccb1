"""The people who wait are told by mail: each thing once, in their own time, and from here alone.

It is tried with the window beside the plan, on a database that the plan was run on, with recipients
who are nobody and a server that sends nothing on: the file of the real ones is not opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.core.errors import Refused
from harness.core.extras import require_extra
from harness.people.mail.compose import MailToCompose, compose_mail
from harness.people.mail.key import held_key
from harness.people.mail.kind import KINDS
from harness.people.mail.proof import mail_flaws
from harness.people.mail.sender import MailJob, sending
from harness.people.mail.settings import MailSettings
from harness.people.unsubscribe import link_of
from harness.people.window import MaintenanceWindow
from harness.people.window_file import find_window, read_window
from harness.plan import Plan
from harness.report import evidence

from .support import SMALL, CloneFactory, TemplateFactory

NOWHERE = MailSettings("status@example.com", "Status", "127.0.0.1", 9, "none")
SAMPLE = 3
SEED = 1


@pytest.fixture(scope="module")
def window(harness_plan: Plan) -> MaintenanceWindow:
    """The window beside the plan."""
    require_extra("people", "the suite people")
    file = find_window(harness_plan.path)
    assert file is not None, "the suite applies where there is one"
    return read_window(file)


def every_mail_flaws(window: MaintenanceWindow) -> Iterator[str]:
    """What is wrong in the mails of the window, of every kind and in odd zones."""
    from harness.scenario.mails.scene import people

    recipients = people(3)
    for who in recipients:
        others = [one.address for one in recipients if one is not who]
        for kind in KINDS:
            link = link_of(window.page_url, "0" * 32) if window.page_url else ""
            told = MailToCompose(kind, who, "<one@example.com>", datetime.now(UTC), link)
            message = compose_mail(window, NOWHERE, told)
            for flaw in mail_flaws(message, kind, window, who, others):
                yield f"{kind}, {who.zone}: {flaw}"


def test_every_mail_says_the_same_in_both_parts_and_names_nobody_else(
    window: MaintenanceWindow,
) -> None:
    flaws = list(every_mail_flaws(window))
    bad = {flaw.partition(",")[0] for flaw in flaws}
    evidence.count("people", "kinds of mails that are as they should be", set(KINDS) - bad, KINDS)
    assert flaws == []


@pytest.mark.usefixtures("harness_server")
def test_no_mail_is_lost_or_twice_and_none_is_sent_from_a_clone(
    window: MaintenanceWindow,
    harness_plan: Plan,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
    tmp_path: Path,
) -> None:
    from harness.scenario.mails.explore import Explorer, PointResult, sample
    from harness.scenario.mails.scene import make_scene

    template = harness_migrated_template(rows=SMALL)
    dsn, clone = harness_clone(template), harness_clone(template)
    scene = make_scene(dsn, harness_plan.name, window, 1, tmp_path)

    async def explore() -> list[PointResult]:
        explorer = Explorer(scene)
        return await explorer.explore(sample(await explorer.golden(), SAMPLE, SEED))

    results = asyncio.run(explore())
    points = [str(one.point) for one in results]
    good = [str(one.point) for one in results if not one.flaws]
    evidence.count("people", "points at which a sender was killed", good, points)
    assert [f"{one.point}: {flaw}" for one in results for flaw in one.flaws] == []
    job = MailJob(clone, scene.window, scene.recipients, NOWHERE, scene.unsubscribed)
    with (
        held_key(scene.key) as key,
        pytest.raises(Refused, match="another database"),
        sending(job, key),
    ):
        pass
    evidence.count("people", "clones that send nothing", ["clone"], ["clone"])
