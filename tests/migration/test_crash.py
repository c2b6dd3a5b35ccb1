"""Struck at every commit and at a sample of all messages, the migration loses nothing.

The whole exploration, every message and every other domain, is `make crash`; the fault of a failure
is struck again by the line that it prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.crash import explore
from harness.crash.domain.wire.domain import ACKED
from harness.crash.model import DIRECTIONS, Direction
from harness.crash.telling import words
from harness.report import evidence

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.server import Server

ROWS = 1000
SAMPLE = 50  # messages in each direction, besides every commit


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_commit_and_a_sample_of_messages(
    direction: Direction, pg_server: Server, plan: Plan, seed: int
) -> None:
    settings = explore.Settings(
        plan=plan.path,
        rows=ROWS,
        seed=seed,
        points=SAMPLE,
        boundaries=True,
        domains=("wire",),
        directions=(direction,),
        workers=1,
        build=None,
    )
    document = explore.run_on(pg_server, settings, plan)
    evidence.keep(f"crash.{direction}", document)
    assert document["verdict"] == "pass", "\n".join(words(document))
    commits = [row for row in document["rows"] if row["fault"] == ACKED]
    assert len(commits) >= len(plan.cleanup if direction == "cleanup" else plan.steps)
    assert document["fired"] == document["points"] == len(commits) + SAMPLE
