"""A run whose batches two workers share, struck by every domain; a long one, so by night."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.crash import workers
from harness.crash.registry import DOMAINS
from harness.crash.setup import Setup
from harness.crash.templates import furnished
from tests.harness.support.crash import ground_of
from tests.harness.support.crew import explored_plan
from tests.harness.support.thorough import EXHAUSTIVE

if TYPE_CHECKING:
    from harness.server import Server

pytestmark = pytest.mark.skipif(not EXHAUSTIVE, reason="by night: make test-exhaustive")


@pytest.fixture(scope="module")
def ground(harness_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """The small plan, two workers by turns, and its bench."""
    found = ground_of(harness_server.dsn(), explored_plan(tmp_path_factory.mktemp("plan")))
    place = furnished(found, harness_server.dsn())
    yield replace(found, extra={"bench": place})
    place.close()


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_crew_that_is_struck_anywhere_ends_as_one_worker_does(ground: Setup, domain: str) -> None:
    tasks = workers.find_tasks(ground, domain)
    rows = list(workers.run_tasks(ground, tasks, workers=1))
    assert Counter(row.point for row in rows) == Counter(p for task in tasks for p in task.points)
    assert rows, "nothing was struck"
    assert [row for row in rows if row.verdict != "pass" or not row.fired] == []
