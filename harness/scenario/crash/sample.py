"""Fewer points than all: a seeded sample, or the one point that is to be replayed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.errors import UsageError
from harness.scenario.crash.model import Direction, Point, Task
from harness.scenario.crash.wire import ACKED

TOGETHER = 10  # points taken from one place: what leads there is costly, the next point is not
WINDOW = 8  # messages that are one place


def struck_by(tasks: Sequence[Task], faults: Sequence[str]) -> list[Task]:
    """The points of these faults; UsageError names those there are when one is unknown."""
    known = {point.fault for task in tasks for point in task.points}
    strange = sorted(set(faults) - known)
    if strange:
        raise UsageError(
            f"no fault {strange[0]!r} in what is explored",
            hint="one of " + ", ".join(sorted(known)),
        )
    return _only(tasks, lambda point: point.fault in faults)


def in_directions(tasks: Sequence[Task], directions: Sequence[Direction]) -> list[Task]:
    """The points of these directions."""
    return _only(tasks, lambda point: point.direction in directions)


def replayed(tasks: Sequence[Task], point: Point) -> list[Task]:
    """The one point; UsageError when the plan has no such place any more."""
    found = _only(tasks, lambda one: one == point)
    if not found:
        raise UsageError(
            f"no crash point {point.id}",
            hint="plan, rows and seed must be those of the exploration that printed it",
        )
    return found


def sampled(tasks: Sequence[Task], number: int, seed: int, *, boundaries: bool) -> list[Task]:
    """`number` points, the same for the same seed, from every domain in proportion.

    With `boundaries` every commit of the wire domain is taken besides, and is not counted.
    """
    acked = {p for task in tasks for p in task.points if p.fault == ACKED} if boundaries else set()
    chosen = _drawn(tasks, number, seed, acked) | acked
    return _only(tasks, lambda point: point in chosen)


def _drawn(tasks: Sequence[Task], number: int, seed: int, without: set[Point]) -> set[Point]:
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    groups: dict[tuple[object, ...], list[Point]] = {}
    for task in tasks:
        for point in task.points:
            if point not in without:
                groups.setdefault(_place(point), []).append(point)
    bundles: list[list[Point]] = []
    for group in groups.values():
        chance.shuffle(group)
        bundles += [group[at : at + TOGETHER] for at in range(0, len(group), TOGETHER)]
    chance.shuffle(bundles)
    return set([point for bundle in bundles for point in bundle][:number])


def _place(point: Point) -> tuple[object, ...]:
    """Where a point is, roughly: its step, and a few messages of it, of the run that they mark."""
    message = re.fullmatch(r"(.*)m(\d+)", point.boundary)
    near = message and (message[1], int(message[2]) // WINDOW)
    return point.domain, point.direction, point.step, near


def _only(tasks: Sequence[Task], wanted: Callable[[Point], bool]) -> list[Task]:
    """The tasks with the wanted points alone; a task without any is none."""
    found: list[Task] = []
    for task in tasks:
        points = tuple(point for point in task.points if wanted(point))
        if points:
            weight = task.weight * len(points) / max(len(task.points), 1)
            found.append(replace(task, points=points, weight=weight))
    return found
