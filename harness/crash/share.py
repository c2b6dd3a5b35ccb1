"""The share of an exploration that one shard strikes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.core.shard import Shard
from harness.crash.model import Point, Task
from harness.document.costs import Costs
from harness.document.crash import UNSET, Unset
from harness.document.shard import ShardDocument


def take_share(tasks: Sequence[Task], shard: Shard | None, costs: Costs) -> list[Task]:
    """The tasks of a shard, all of them without one. UsageError when there are too few points."""
    if shard is None:
        return list(tasks)
    parts = split_tasks(tasks, shard.of, costs)
    return shard.take(parts, lambda task: cost_of(task, costs), _name)


def split_tasks(tasks: Sequence[Task], of: int, costs: Costs) -> list[Task]:
    """Tasks of which none costs more than a share, so many at least where there are points enough.

    What the points of a task share is then paid for in every part, so others stay whole.
    """
    most = sum(cost_of(task, costs) for task in tasks) / of
    parts = [part for task in tasks for part in _cut(task, most, costs)]
    while 0 < len(parts) < of and len(largest := max(parts, key=_points).points) > 1:
        at = next(n for n, part in enumerate(parts) if part.points is largest)
        half = len(largest) // 2
        parts[at : at + 1] = [_part(parts[at], largest[:half]), _part(parts[at], largest[half:])]
    return parts


def _points(task: Task) -> int:
    return len(task.points)


def _cut(task: Task, most: float, costs: Costs) -> Iterator[Task]:
    """Neighbours in parts that cost about `most`; a point that costs more is the last of one."""
    if cost_of(task, costs) <= most:
        yield task
        return
    taken: list[Point] = []
    cost, by_kind = 0.0, _by_kind(task)
    for point in task.points:
        taken.append(point)
        cost += costs.of(point.id, by_kind)
        if cost >= most:
            yield _part(task, taken)
            taken, cost = [], 0.0
    if taken:
        yield _part(task, taken)


def _part(task: Task, points: Sequence[Point]) -> Task:
    return replace(task, points=tuple(points), weight=_by_kind(task) * len(points))


def _by_kind(task: Task) -> float:
    """Seconds that a point takes where none were measured."""
    return task.weight / max(len(task.points), 1)


def cost_of(task: Task, costs: Costs) -> float:
    """Seconds that a task takes: those measured of its points, else what its kind takes."""
    by_kind = _by_kind(task)
    return sum(costs.of(point.id, by_kind) for point in task.points)


def _name(task: Task) -> str:
    return task.points[0].id


def shard_document(
    whole: Sequence[Task], shard: Shard | None, costs: Costs
) -> ShardDocument | Unset:
    """What the ledger of a shard says of the whole; nothing of one that is no shard."""
    if shard is None:
        return UNSET
    points = [point.id for task in whole for point in task.points]
    return ShardDocument(index=shard.index, of=shard.of, whole=points, costs=costs.digest)
