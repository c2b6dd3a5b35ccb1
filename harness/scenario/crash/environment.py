"""What is around a run fails: disk, connections, a pooler in between, the clock.

A part that cannot be struck here, because a program or a right is missing, gives rows that are
unknown and name what would be needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.scenario.crash import (
    environment_clock,
    environment_connections,
    environment_disk,
    environment_pooler,
    environment_survey,
    environment_wal,
)
from harness.scenario.crash.environment_survey import Survey
from harness.scenario.crash.ground import Ground
from harness.scenario.crash.model import Row, Task


@dataclass(frozen=True)
class Part:
    """One thing around a run, and how it is struck; its name is in the task's extra."""

    tasks: Callable[[Survey], list[Task]]
    run: Callable[[Ground, Task], list[Row]]


PARTS: Final = {
    "disk": Part(environment_disk.tasks, environment_disk.run),
    "wal": Part(environment_wal.tasks, environment_wal.run),
    "connections": Part(environment_connections.tasks, environment_connections.run),
    "pooler": Part(environment_pooler.tasks, environment_pooler.run),
    "clock": Part(environment_clock.tasks, environment_clock.run),
}
FAULTS: Final = (
    *environment_disk.FAULTS,
    *environment_connections.FAULTS,
    *environment_pooler.FAULTS,
    *environment_clock.FAULTS,
)


def tasks(ground: Ground) -> list[Task]:
    """Every point of every part in both directions, found by looking at undisturbed runs."""
    return [
        task
        for survey in environment_survey.take(ground)
        for part in PARTS.values()
        for task in part.tasks(survey)
    ]


def run(ground: Ground, task: Task) -> list[Row]:
    """Strike at each point of a task: exactly one row for each."""
    return PARTS[task.extra["part"]].run(ground, task)
