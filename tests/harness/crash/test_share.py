"""The shards of an exploration: every point in one of them, none larger than it need be."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.core.shard import Shard
from harness.crash.model import Point, Task
from harness.crash.share import shard_document, split_tasks, take_share
from harness.document.costs import NO_COSTS, Costs
from tests.harness.support.crash_ledger import ALL, point

CALM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def tasks_of(sizes: list[int]) -> list[Task]:
    return [
        Task("wire", tuple(point(f"1.1/{number:03d}", f"m{at:02d}") for at in range(size)), size)
        for number, size in enumerate(sizes)
    ]


@settings(CALM)
@given(SIZES, st.integers(1, 6))
def test_every_point_is_in_one_shard(sizes: list[int], of: int) -> None:
    tasks, of = tasks_of(sizes), min(of, sum(sizes))
    shares = [take_share(tasks, Shard(index, of), NO_COSTS) for index in range(1, of + 1)]
    found = [one for share in shares for task in share for one in task.points]
    assert len(found) == sum(sizes)
    assert {*found} == {one for task in tasks for one in task.points}
    counts = [sum(len(task.points) for task in share) for share in shares]
    assert max(counts) - min(counts) <= -(-sum(sizes) // of)


def test_a_task_that_costs_less_than_a_share_stays_whole() -> None:
    assert split_tasks(tasks_of([4, 4, 4]), 3, NO_COSTS) == tasks_of([4, 4, 4])


def test_a_point_that_took_long_is_alone() -> None:
    (task,) = tasks_of([6])
    costs = Costs({each.id: 1.0 for each in task.points} | {task.points[0].id: 60.0})
    parts = [take_share([task], Shard(index, 3), costs) for index in (1, 2, 3)]
    (alone,) = (share for share in parts if any(task.points[0] in part.points for part in share))
    assert sum(len(part.points) for part in alone) == 1


def test_fewer_points_than_shards_are_refused() -> None:
    with pytest.raises(UsageError, match="each of 3 shards: the work has 2 parts"):
        take_share(tasks_of([2]), Shard(1, 3), NO_COSTS)


def test_a_ledger_of_a_shard_names_the_points_of_all() -> None:
    whole: tuple[Point, ...] = ALL[:5]
    found = shard_document([Task("wire", whole)], Shard(2, 3), NO_COSTS)
    assert found
    assert (str(found), list(found.whole)) == ("2/3", [each.id for each in whole])
    assert not shard_document([Task("wire", whole)], None, NO_COSTS)
