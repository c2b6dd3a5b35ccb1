"""Fewer points than all: a seeded sample, or the one point that is to be replayed.

A sample is drawn from every part of what there is: each domain and direction has its share, at
least one point, and within it every step and every fault has its turn.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from harness.core.direction import Direction
from harness.core.errors import UsageError
from harness.crash.domain.wire.span import ACKED
from harness.crash.model import DomainName, Point, Task

Place = tuple[DomainName, Direction]
UNHEARD = "unheard"
COMMITS = 12  # of a run whose every point starts a process anew


def struck_by(tasks: Sequence[Task], faults: Sequence[str]) -> list[Task]:
    """The points of these faults."""
    return only(tasks, lambda point: point.fault in faults)


def in_directions(tasks: Sequence[Task], directions: Sequence[Direction]) -> list[Task]:
    """The points of these directions."""
    return only(tasks, lambda point: point.direction in directions)


def replayed(tasks: Sequence[Task], point: Point) -> list[Task]:
    """The one point; UsageError when the plan has no such place any more."""
    found = only(tasks, lambda one: one == point)
    if not found:
        raise UsageError(
            f"no crash point {point.id}",
            hint="plan, rows and seed must be those of the exploration that printed it",
        )
    return found


def sampled(tasks: Sequence[Task], number: int, seed: int, *, boundaries: bool) -> list[Task]:
    """`number` points, the same for the same seed, from every part of what there is.

    With `boundaries` every commit of the wire domain is taken besides, and is not counted; of a
    run whose every point starts a process anew some of the commits, whose answer is lost.
    """
    acked = _boundaries(tasks, seed) if boundaries else set()
    chosen = _drawn(tasks, number, seed, acked) | acked
    return only(tasks, lambda point: point in chosen)


def _boundaries(tasks: Sequence[Task], seed: int) -> set[Point]:
    found = {point for task in tasks for point in task.points if point.fault == ACKED}
    if found:
        return found
    last: dict[tuple[str, str], Point] = {}  # what commits is the last message of its step
    for task in tasks:
        for point in task.points:
            if (point.domain, point.fault) == ("wire", UNHEARD) and point.step.startswith("commit"):
                last[point.direction, point.step] = point
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return set(spread(list(last.values()), COMMITS, chance))


def _drawn(tasks: Sequence[Task], number: int, seed: int, without: set[Point]) -> set[Point]:
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    places: dict[Place, list[Point]] = {}
    for task in tasks:
        for point in task.points:
            if point not in without:
                places.setdefault((point.domain, point.direction), []).append(point)
    quotas = shares({place: len(points) for place, points in places.items()}, number)
    return {p for place, quota in quotas.items() for p in spread(places[place], quota, chance)}


def shares(there: Mapping[Place, int], number: int) -> dict[Place, int]:
    """How many of `number` points each place gives: one at least, then in proportion.

    Where there are more places than points, every domain comes first, then every direction.
    """
    quotas = dict.fromkeys(_first(there)[:number], 1)
    left = min(number, sum(there.values())) - len(quotas)
    spare = {place: there[place] - 1 for place in quotas}
    whole = sum(spare.values())
    if left <= 0 or not whole:
        return quotas
    for place, more in spare.items():
        quotas[place] += left * more // whole
    rest = min(number, sum(there.values())) - sum(quotas.values())
    remainder = sorted(spare, key=lambda place: -(left * spare[place] % whole))
    for place in [one for one in remainder if quotas[one] < there[one]][:rest]:
        quotas[place] += 1
    return quotas


def _first(there: Mapping[Place, int]) -> list[Place]:
    """Places in the order in which they must have a point: new domains, new directions, others."""
    largest = sorted(there, key=lambda place: -there[place])
    ordered: list[Place] = []
    for part in (0, 1):
        for place in largest:
            if all(place[part] != one[part] for one in ordered):
                ordered.append(place)
    return list(dict.fromkeys([*ordered, *largest]))


def spread(points: Sequence[Point], number: int, chance: random.Random) -> list[Point]:
    """`number` of the points: steps take turns, and each gives the fault that was taken least."""
    steps: dict[str, list[Point]] = {}
    for point in points:
        steps.setdefault(point.step, []).append(point)
    for some in steps.values():
        chance.shuffle(some)
    order = list(steps)
    chance.shuffle(order)
    taken: Counter[str] = Counter()
    found: list[Point] = []
    while len(found) < min(number, len(points)):
        for step in [one for one in order if steps[one]][: number - len(found)]:
            chosen = min(steps[step], key=lambda point: taken[point.fault])
            steps[step].remove(chosen)
            taken[chosen.fault] += 1
            found.append(chosen)
    return found


def only(tasks: Sequence[Task], wanted: Callable[[Point], bool]) -> list[Task]:
    """The tasks with the wanted points alone; a task without any is none."""
    found: list[Task] = []
    for task in tasks:
        points = tuple(point for point in task.points if wanted(point))
        if points:
            weight = task.weight * len(points) / max(len(task.points), 1)
            found.append(replace(task, points=points, weight=weight))
    return found
