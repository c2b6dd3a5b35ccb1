"""A window's holder may be killed anywhere; a lease without an end and leftovers are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.crash import workers
from harness.crash.applicability import places_of
from harness.crash.domain.environment import window
from harness.crash.model import CoverageRow
from harness.crash.settings import CrashSettings
from harness.crash.setup import Setup
from harness.plan.rules import MaintenanceRules
from harness.safety.maintenance import barrier
from harness.safety.maintenance.statements import statement
from harness.subject.plan import PlanSubject
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan

ROLE = "pg_write_all_data"  # every server has it, and it may write everywhere


@pytest.fixture(scope="module")
def ground(harness_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    small = SmallPlan(tmp_path_factory.mktemp("window"))
    plan = replace(small.load(), maintenance=MaintenanceRules(roles=(ROLE,)))
    return ground_of(harness_server.dsn(), plan)


def struck(ground: Setup, ids: Sequence[str], planted: str | None = None) -> list[CoverageRow]:
    """The rows of the points whose boundary and fault are named."""
    if planted is not None:
        ground = replace(ground, prepare=f"{__name__}:{planted}")
    (task,) = window.tasks(ground)
    points = tuple(p for p in task.points if f"{p.boundary}:{p.fault}" in ids)
    assert len(points) == len(ids)
    return list(workers.run_tasks(ground, [replace(task, points=points)]))


STRUCK = [
    f"window-arm-middle:{window.OFF}",
    f"window-wait:{window.AGAIN}",
    f"window-started:{window.OFF}",
    f"window-completed:{window.AGAIN}",
    f"window-disarm-first:{window.OFF}",
    f"window-remove:{window.AGAIN}",
]
"""Of every part of a window a moment; `harness crash` strikes at each, with either command."""


def test_a_window_opens_again_wherever_its_holder_is_killed(ground: Setup) -> None:
    rows = struck(ground, STRUCK)
    assert [(row.point.id, row.reason) for row in rows if row.verdict != "pass"] == []
    assert all(row.fired and row.evidence for row in rows)


def a_lease_without_an_end() -> None:
    """Refuse whatever the clock says."""
    text = statement("refuse").replace("until > now AND", "")
    assert text != statement("refuse")
    barrier.statement = (  # type: ignore[attr-defined]
        lambda name: text if name == "refuse" else statement(name)
    )


def an_off_that_forgets_a_trigger() -> None:
    """Leave what an earlier window has armed: only the schema goes."""
    barrier.disarm = lambda *_: None
    barrier.remove = lambda *_: None


@pytest.mark.parametrize(
    ("planted", "point", "said"),
    [
        ("a_lease_without_an_end", "window-closed:window-killed-off", "though the lease has ended"),
        ("an_off_that_forgets_a_trigger", "window-lease:window-killed-again", "are left"),
    ],
)
def test_a_planted_defect_of_a_window_is_seen(
    ground: Setup, planted: str, point: str, said: str
) -> None:
    (row,) = struck(ground, [point], planted)
    assert (row.fired, row.verdict) == (True, "fail")
    assert said in row.reason


def test_a_plan_without_application_roles_has_no_window(ground: Setup, tmp_path: Path) -> None:
    bare = replace(ground, subject=PlanSubject(SmallPlan(tmp_path).load()))
    assert window.tasks(bare) == []
    asked = CrashSettings(domains=("environment",))

    def lacking(where: Setup) -> set[str]:
        return {fault for _, fault in places_of(asked, where, {}).faultless} & set(window.FAULTS)

    assert lacking(bare) == set(window.FAULTS)
    assert lacking(ground) == set()
