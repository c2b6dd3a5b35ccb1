"""Struck at every commit and at a sample of all messages, the migration loses nothing.

The whole exploration, every message and every other domain, is `harness crash`; the fault of a
failure is struck again by the line that it prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.core.direction import Direction
from harness.crash import explore, request
from harness.crash.domain.wire.span import ACKED
from harness.crash.settings import CrashSettings
from harness.crash.summary import words
from harness.plan import Plan
from harness.report import evidence

from .planned import directions

if TYPE_CHECKING:
    from harness.server import Server

ROWS = 1000
SAMPLE = 50  # messages in each direction, besides every commit


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One exploration for each direction that the plan has."""
    if "direction" in metafunc.fixturenames:
        metafunc.parametrize("direction", directions(metafunc.config))


def test_every_commit_and_a_sample_of_messages(
    direction: Direction, harness_server: Server, harness_plan: Plan, harness_seed: int
) -> None:
    settings = CrashSettings(
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
    assert document.verdict == "pass", "\n".join(words(document))
    commits = [row for row in document.rows if row.fault == ACKED]
    files = harness_plan.cleanup if direction == "cleanup" else harness_plan.steps
    assert len(commits) >= len(files)
    there = request.total(document.enumerated)
    assert document.fired == document.points == min(len(commits) + SAMPLE, there)
