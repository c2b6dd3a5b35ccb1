"""Disk, connections, a pooler, the clock: struck for real, survived, and seen when they are not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.core.errors import Refused, Stopped
from harness.crash import runners, workers
from harness.crash.domain.environment import domain as environment
from harness.crash.domain.environment import wal
from harness.crash.domain.environment.own_server import OwnServer
from harness.crash.model import CoverageRow, Task
from harness.crash.setup import Setup
from harness.fault import clock, pooler
from harness.fault.connections import Crowd
from harness.observe.advice import ErrorAdvice
from harness.plan import Plan
from harness.runner import backward, reconnect, session, step_work, steps
from harness.server.readiness import answers
from tests.harness.support.crash import ground_of
from tests.harness.support.runner import SmallPlan, ask
from tests.harness.support.server import require
from tests.harness.support.thorough import some_points

NEEDS = {"disk": "mount", "wal": "mount", "pooler": "pgbouncer", "clock": "faketime"}
"""What a part needs of the machine, as HARNESS_REQUIRE names it."""


@pytest.fixture(scope="module")
def ground(harness_server, tmp_path_factory) -> Setup:
    small = SmallPlan(tmp_path_factory.mktemp("environment"))
    # On a busy machine what happens while a step is pinned may take longer than its lock timeout.
    small.replace("plan.toml", 'lock_timeout = "200ms"', 'lock_timeout = "5s"')
    return ground_of(harness_server.dsn(), small.load())


@pytest.fixture(scope="module")
def tasks(ground) -> list[Task]:
    return workers.find_tasks(ground, "environment")


Points = Callable[[str], bool]


def chosen(tasks: Sequence[Task], part: str, wanted: Points = lambda _: True) -> list[Task]:
    """The tasks of a part, with those of their points whose id is wanted."""
    found = []
    for task in tasks:
        points = tuple(point for point in task.points if wanted(point.id))
        if task.extra["part"] == part and points:
            found.append(replace(task, points=points))
    assert found, "no such point"
    return found


def struck(ground: Setup, tasks: Sequence[Task], planted: str | None = None) -> list[CoverageRow]:
    """The rows of tasks; skipped, or failed where it is required, when the machine lacks a part."""
    if planted is not None:
        ground = replace(ground, prepare=f"{__name__}:{planted}")
    rows = list(workers.run_tasks(ground, tasks))
    need = NEEDS.get(tasks[0].extra["part"], "")
    for row in rows:
        if need and row.verdict == "unknown" and row.reason.startswith(f"{need}:"):
            require(need, row.reason)
    return rows


def test_every_part_is_struck_in_both_directions_and_at_a_step_of_every_kind(tasks, ground):
    points = [point for task in tasks for point in task.points]
    assert len({point.id for point in points}) == len(points)
    for direction in ("forward", "rollback"):
        parts = {task.extra["part"] for task in tasks if task.points[0].direction == direction}
        assert parts >= {"wal", "connections", "pooler", "clock"}, direction
    for part in ("disk", "wal", "connections"):
        kinds = {
            ground.plan.step(point.step).forward.kind
            for task in chosen(tasks, part, lambda name: ":forward:" in name)
            for point in task.points
            if point.step != "(start)"
        }
        assert kinds == {"transaction", "batch", "concurrent"}, part
    assert any(point.boundary == "batch1" for point in points)


@pytest.mark.parametrize("part", list(environment.PARTS))
def test_every_fault_fires_and_nothing_is_lost(ground, tasks, part):
    wanted = some_points(chosen(tasks, part), 8)
    rows = struck(ground, wanted)
    assert {row.point for row in rows} == {point for task in wanted for point in task.points}
    assert [(row.point.id, row.reason) for row in rows if row.verdict != "pass"] == []
    assert all(row.fired and row.evidence for row in rows)


# Planted defects: each is called in every runner process before it runs.


def a_full_disk_fails_the_step() -> None:
    """Take a lack of room for an error of the plan."""
    step_work.advise = lambda _: ErrorAdvice(  # type: ignore[attr-defined]
        "53100", "insufficient resources", "plan", "never", "correct the SQL"
    )


def a_full_disk_is_passed_over() -> None:
    """Go on after a step that found no room, as if it were done."""

    def passing_over(
        run: Callable[[step_work.StepWork], int],
    ) -> Callable[[step_work.StepWork], int]:
        def passed_over(one: step_work.StepWork) -> int:
            try:
                return run(one)
            except Stopped:
                return 0

        return passed_over

    for kind, run in list(steps.RUNNERS.items()):
        steps.RUNNERS[kind] = passing_over(run)


def a_full_disk_is_no_news() -> None:
    """Stop at a full disk, but when started again and it still is full, say that all is done."""
    run = runners.VERBS["forward"]

    def confident(dsn: str, plan: Plan, **others: Any) -> Any:
        resumed = ask(dsn, "SELECT to_regclass('migration_control.run') IS NOT NULL")
        try:
            return run(dsn, plan, **others)
        except Stopped:
            if not resumed:
                raise
            return None

    runners.VERBS["forward"] = confident


def a_connection_is_not_made_again() -> None:
    """Take the first refusal of a new connection for the last word."""
    reconnect.HOPELESS = 1


def pools_are_not_looked_for() -> None:
    """Believe every connection to be one's own."""
    session.refuse_transaction_pooling = lambda *_: None  # type: ignore[attr-defined]


def the_runner_judges_the_window() -> None:
    """Count the window by the clock of the machine that the runner is on."""

    def refuse_late(run, plan, override):
        hours = (datetime.now(UTC) - run.completed_at).total_seconds() / 3600
        if hours > plan.window_hours:
            raise Refused("the window for a rollback is over")

    backward.refuse_late = refuse_late  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        ("a_full_disk_fails_the_step", "not with status 5"),
        ("a_full_disk_is_passed_over", "end with status"),
    ],
)
def test_a_runner_that_mistakes_a_full_disk_is_caught(ground, tasks, defect, words):
    last = ground.plan.steps[-1].id
    wanted = chosen(tasks, "disk", lambda name: f"forward:{last}" in name and "transient" in name)
    (row,) = struck(ground, wanted, defect)
    assert (row.fired, row.verdict) == (True, "fail"), row
    assert words in row.reason


def test_an_end_without_room_is_no_end(ground, tasks):
    """Would pass if a second start might end with 0 on the way forward too."""
    wanted = chosen(tasks, "disk", lambda name: ":forward:" in name and "persistent" in name)
    rows = struck(ground, wanted, "a_full_disk_is_no_news")
    assert {(row.fired, row.verdict) for row in rows} == {(True, "fail")}, rows
    assert all("when started again without room with status 0" in row.reason for row in rows)


def test_a_runner_that_does_not_connect_again_is_caught(ground, tasks):
    wanted = chosen(
        tasks,
        "connections",
        lambda name: name.endswith("no-connection-transient-none") and "batch1" in name,
    )
    (row,) = struck(ground, wanted, "a_connection_is_not_made_again")
    assert row.verdict == "fail", row
    assert "never came to reconnecting" in row.reason


def test_a_runner_that_does_not_look_for_pools_is_caught(ground, tasks):
    wanted = chosen(tasks, "pooler", lambda name: ":forward:" in name and "transaction" in name)
    rows = struck(ground, wanted, "pools_are_not_looked_for")
    assert all(row.fired for row in rows)
    assert all(row.verdict == "fail" or "not refused" in row.evidence for row in rows), rows
    assert [row for row in rows if row.verdict == "fail"], "no pool did any damage"


def test_a_runner_that_judges_the_window_by_its_own_clock_is_caught(ground, tasks):
    rows = struck(
        ground,
        chosen(tasks, "clock", lambda name: "the-window" in name),
        "the_runner_judges_the_window",
    )
    assert {row.point.boundary: row.verdict for row in rows} == {
        "in-the-window": "fail",
        "after-the-window": "fail",
    }
    assert all(row.fired for row in rows), rows


def test_a_runner_that_never_comes_to_the_moment_is_no_pass(ground, tasks):
    (task, *_) = chosen(tasks, "connections", lambda name: name.endswith("persistent-none"))
    nowhere = replace(task.points[0], step="9.9/999_nowhere")
    (row,) = struck(ground, [replace(task, points=(nowhere,))])
    assert (row.fired, row.verdict) == (False, "fail")
    assert "never came to" in row.reason


# What is missing is said, and never passes.


def unknown_for_want_of(rows: Sequence[CoverageRow], tasks: Sequence[Task], what: str) -> bool:
    complete = len(rows) == sum(len(task.points) for task in tasks)
    said = all(row.reason.startswith(f"{what}: ") and "; " in row.reason for row in rows)
    return complete and said and {(row.fired, row.verdict) for row in rows} == {(False, "unknown")}


@pytest.mark.parametrize(("part", "module"), [("pooler", pooler), ("clock", clock)])
def test_without_a_program_its_rows_are_unknown(ground, tasks, monkeypatch, part, module):
    monkeypatch.setattr(module, "PLACES", ())
    monkeypatch.setenv("PATH", "")
    wanted = chosen(tasks, part)
    rows = [row for task in wanted for row in workers.run_task(ground, task)]
    assert unknown_for_want_of(rows, wanted, NEEDS[part])
    assert all("install Debian's package" in row.reason for row in rows)


def without_rights(ground: Setup, task: Task) -> list[CoverageRow]:
    """Run a task as a user who may mount nothing; what it needs is imported with this module."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    return workers.run_task(ground, task)


@pytest.mark.parametrize("part", ["disk", "wal"])
def test_without_the_right_to_mount_its_rows_are_unknown(ground, tasks, part):
    wanted = chosen(tasks, part)
    with workers.pool(1) as processes:
        rows = [
            row
            for task in wanted
            for row in processes.submit(without_rights, ground, task).result()
        ]
    assert unknown_for_want_of(rows, wanted, "mount")
    assert all("CAP_SYS_ADMIN" in row.reason for row in rows)


def test_a_crowd_leaves_as_much_room_as_it_was_asked_to(ground):
    server = ground.server("fast")
    try:
        most = int(ask(server.dsn(), "show max_connections"))
        with Crowd(server.dsn()) as crowd:
            crowd.take_all(but=2)
            assert crowd.counted() == crowd.size == most - 2
            crowd.release()
        assert ask(server.dsn(), "select 1") == 1
    finally:
        server.close()


def test_a_postmaster_that_neither_lives_nor_dies_is_killed(ground: Setup) -> None:
    """Planted: it stands still, as one that has lost its startup process and has no other."""
    with OwnServer(ground, "forward", "fast") as stage:
        stuck = stage.server.pid
        assert stuck is not None
        os.kill(stuck, signal.SIGSTOP)
        wal.revive(stage, 0.0)
        assert answers(stage.server.dsn())
        assert stage.server.pid not in (None, stuck)
        found = stage.server.pid
        wal.revive(stage)
        assert stage.server.pid == found, "one that answers is left alone"
