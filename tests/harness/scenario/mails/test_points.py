"""A sender is killed anywhere: no mail is lost, and none is twice but where the ledger says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

from harness.scenario.mails.explore import Explorer, PointResult, sample
from tests.harness.support.mail import mail_scene

SEED = 20260
SAMPLE = 8


def test_no_mail_is_lost_or_twice_wherever_the_sender_is_killed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    scene = mail_scene(tmp_path, harness_empty_database, 1)

    async def explore() -> list[PointResult]:
        explorer = Explorer(scene)
        return await explorer.explore(sample(await explorer.golden(), SAMPLE, SEED))

    results = asyncio.run(explore())
    assert [f"{one.point}: {flaw}" for one in results for flaw in one.flaws] == []
    assert len(results) == SAMPLE
