"""Rivals at every lock and checkpoint of a small plan: the run waits, and says what it lacked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.crash.model import END, START, CoverageRow, Point, Task
from harness.crash.setup import Setup
from harness.crash.workers import find_tasks, run_tasks
from harness.runner.step_work import SqlFailed
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan
from tests.harness.support.thorough import some_points

HERE = __name__
STEP, FILL, INDEX = "1.1/010_column", "1.1/020_fill", "1.2/010_index"


@pytest.fixture(scope="module")
def ground(harness_server, tmp_path_factory) -> Setup:
    return ground_of(harness_server.dsn(), SmallPlan(tmp_path_factory.mktemp("small")).load())


@pytest.fixture(scope="module")
def tasks(ground) -> list[Task]:
    return find_tasks(ground, "contended")


@pytest.fixture(scope="module")
def chosen(tasks) -> list[Task]:
    """About a quarter of the points, of every step and of every fault."""
    return some_points(tasks, 14)


@pytest.fixture(scope="module")
def rows(ground, chosen) -> list[CoverageRow]:
    return list(run_tasks(ground, chosen))


def points(tasks: list[Task]) -> list[Point]:
    return [point for task in tasks for point in task.points]


def is_own_work(row: CoverageRow) -> bool:
    """The runner's own transactions, before its first step and after its last, for a moment."""
    return row.point.step in (START, END) and not row.point.fault.endswith("_persistent")


def with_defect(ground: Setup, defect: Callable[[], None], *chosen: Point) -> list[CoverageRow]:
    planted = replace(ground, prepare=f"{HERE}:{defect.__name__}")
    return list(run_tasks(planted, [Task("contended", chosen)]))


def forward(step: str, boundary: str, fault: str) -> Point:
    return Point("contended", "forward", step, boundary, fault)


def test_every_step_is_struck_by_every_fault_that_can_occur_there(tasks):
    struck = {(point.direction, point.step, point.fault) for point in points(tasks)}
    for direction in ("forward", "rollback"):
        for step in (STEP, FILL, INDEX):
            for fault in ("lock_timeout", "lock_timeout_persistent", "deadlock", "serialization"):
                assert (direction, step, fault) in struck
    assert ("forward", FILL, "statement_timeout_persistent") in struck
    assert len(points(tasks)) == len(set(points(tasks)))


def test_locks_are_found_by_looking(tasks):
    places = {point.boundary for point in points(tasks) if point.fault == "lock_timeout"}
    assert "public.things@access_share" in places  # an ALTER TABLE waits for any reader
    assert "public.things@row_exclusive" in places  # and a concurrent index for any writer
    assert "public.kinds@access_share" in places  # dropped on the way back, not there before


def test_there_is_one_row_for_every_point_and_every_fault_fired(rows, chosen, tasks):
    assert sorted(row.point for row in rows) == sorted(points(chosen))
    assert {row.point.fault for row in rows} == {point.fault for point in points(tasks)}
    assert {row.point.step for row in rows} == {point.step for point in points(tasks)}
    assert [row.document() for row in rows if not row.fired] == []


def test_every_contention_ends_golden_or_is_named_and_resumed(rows):
    assert [row.document() for row in rows if row.verdict != "pass"] == []
    assert any(is_own_work(row) for row in rows)


def test_evidence_is_what_the_server_said(rows):
    said = {
        "lock_timeout": "55P03",
        "deadlock": "40P01",
        "serialization": "40001",
        "statement_timeout": "57014",
    }
    for row in rows:
        assert said[row.point.fault.removesuffix("_persistent")] in row.evidence, row


def skip_a_step_that_failed() -> None:
    """Planted: a failed transaction is tried again by going on to the next step."""
    from harness.runner import transaction_step

    def retrying(work, attempt):
        try:
            return attempt()
        except SqlFailed as failure:
            state = failure.error.sqlstate
            work.session.context.tell("retry", work.id, message=f"skipped ({state})")
            return 0

    transaction_step.retrying = retrying


def pass_over_a_range_that_failed() -> None:
    """Planted: after a timeout the next batch begins behind the range that was not done."""
    from harness.runner import batch_step

    original = batch_step._batch

    def batch(work, size, at):
        try:
            return original(work, size, at)
        except SqlFailed as failure:
            if failure.error.sqlstate == "57014":
                at.last_key = max(at.last_key, 0) + size
            raise

    batch_step._batch = batch


def never_halve() -> None:
    """Planted: a batch that ran into its timeout is tried again as large as it was."""
    from harness.runner import batch_step

    batch_step.Sizer.timed_out = lambda _: False


def try_again_without_rolling_back() -> None:
    """Planted: the transaction that failed is still open when the step is tried again."""
    from harness.runner.working import WorkingSession

    WorkingSession.roll_back = lambda _: None
    WorkingSession.refresh = lambda _: None  # a new session would have nothing open


CAUGHT = [
    (skip_a_step_that_failed, forward(STEP, "public.things@access_share", "lock_timeout")),
    (skip_a_step_that_failed, forward(STEP, "public.things@access_share", "deadlock")),
    (skip_a_step_that_failed, forward(STEP, "done", "serialization")),
    (try_again_without_rolling_back, forward(STEP, "done", "serialization")),
    (pass_over_a_range_that_failed, forward(FILL, "middle", "statement_timeout")),
    (pass_over_a_range_that_failed, forward(FILL, "middle", "statement_timeout_persistent")),
    (never_halve, forward(FILL, "first", "statement_timeout")),
]


@pytest.fixture(scope="module")
def caught(ground) -> Callable[[Callable[[], None]], dict[Point, CoverageRow]]:
    """A function: the rows of a defect's points, all of them struck in one exploration."""

    @functools.cache
    def explored(defect: Callable[[], None]) -> dict[Point, CoverageRow]:
        chosen = [point for planted, point in CAUGHT if planted is defect]
        return {row.point: row for row in with_defect(ground, defect, *chosen)}

    return explored


@pytest.mark.parametrize(("defect", "point"), CAUGHT, ids=lambda value: getattr(value, "id", ""))
def test_a_planted_defect_is_caught(caught, defect, point):
    row = caught(defect)[point]
    assert (row.fired, row.verdict) == (True, "fail"), row
    assert row.reason


def test_a_rival_that_is_in_nobodys_way_is_no_pass(ground):
    point = forward(STEP, "public.things@access_share", "lock_timeout")
    harmless = replace(point, step=INDEX)  # building an index does not mind readers
    (row,) = run_tasks(ground, [Task("contended", (harmless,))])
    assert (row.fired, row.verdict) == (False, "fail")
    assert "did not fire" in row.reason
