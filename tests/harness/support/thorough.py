"""How much is tried of what could be: a sample in `make test`, the same every time, or all of it.

HARNESS_EXHAUSTIVE=1, which `make test-exhaustive` sets, tries all of it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from harness.crash import sample
from harness.crash.model import Point, Task

EXHAUSTIVE: Final = os.environ.get("HARNESS_EXHAUSTIVE", "") not in ("", "0")
SEED: Final = 1
Item = TypeVar("Item")


def some_of(everything: Iterable[Item], number: int) -> list[Item]:
    """`number` of them in their order, or all of them."""
    found = list(everything)
    if EXHAUSTIVE or number >= len(found):
        return found
    chance = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    return [found[at] for at in sorted(chance.sample(range(len(found)), number))]


def some_points(tasks: Sequence[Task], number: int) -> list[Task]:
    """About `number` points, at least one of every step and of every fault; or all of them."""
    if EXHAUSTIVE:
        return list(tasks)
    drawn = sample.sampled(tasks, number, SEED, boundaries=False)
    chosen = {point for task in drawn for point in task.points}
    for word in ("step", "fault"):
        chosen |= _first_of_each(word, tasks, {getattr(point, word) for point in chosen})
    kept = (replace(task, points=tuple(p for p in task.points if p in chosen)) for task in tasks)
    return [task for task in kept if task.points]


def _first_of_each(word: str, tasks: Sequence[Task], there: set[str]) -> set[Point]:
    """The first point of every step, or fault, that is not there yet."""
    first: dict[str, Point] = {}
    for task in tasks:
        for point in task.points:
            first.setdefault(getattr(point, word), point)
    return {point for value, point in first.items() if value not in there}
