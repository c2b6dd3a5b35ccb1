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
    direction: Direction, harness_server: Server, harness_plan: Plan, harness_seed: int
) -> None:
    settings = explore.Settings(
        plan=harness_plan.path,
        rows=ROWS,
        seed=harness_seed,
        points=SAMPLE,
        boundaries=True,
        domains=("wire",),
        directions=(direction,),
        workers=1,
        build=None,
    )
    document = explore.run_on(harness_server, settings, harness_plan)
    evidence.keep(f"crash.{direction}", document)
    assert document["verdict"] == "pass", "\n".join(words(document))
    commits = [row for row in document["rows"] if row["fault"] == ACKED]
    assert len(commits) >= len(
        harness_plan.cleanup if direction == "cleanup" else harness_plan.steps
    )
    assert document["fired"] == document["points"] == len(commits) + SAMPLE
