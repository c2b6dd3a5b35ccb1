"""The share of an exploration that one shard strikes."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.shard import Shard
from harness.crash.model import Task
from harness.document.costs import Costs
from harness.document.crash import UNSET, Unset
from harness.document.shard import ShardDocument


def take_share(tasks: Sequence[Task], shard: Shard | None, costs: Costs) -> list[Task]:
    """The tasks of a shard, all of them without one. UsageError when there are too few."""
    if shard is None:
        return list(tasks)
    return shard.take(tasks, lambda task: cost_of(task, costs), _name)


def cost_of(task: Task, costs: Costs) -> float:
    """Seconds that a task takes: those measured of its points, else what its kind takes."""
    by_kind = task.weight / max(len(task.points), 1)
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
