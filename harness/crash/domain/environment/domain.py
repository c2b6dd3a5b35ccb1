"""What is around a run fails: disk, connections, a pooler in between, the clock, its window.

A part that cannot be struck here, because a program or a right is missing, gives rows that are
unknown and name what would be needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from harness.crash.domain.environment import clock, connections, disk, pooler, survey, wal, window
from harness.crash.domain.environment.survey import Survey
from harness.crash.model import CoverageRow, Domain, Task
from harness.crash.setup import LEDGER, Setup


@dataclass(frozen=True)
class EnvironmentPart:
    """One thing around a run, and how it is struck; its name is in the task's extra."""

    tasks: Callable[[Survey], list[Task]]
    run: Callable[[Setup, Task], list[CoverageRow]]


PARTS: Final = {
    "disk": EnvironmentPart(disk.tasks, disk.run),
    "wal": EnvironmentPart(wal.tasks, wal.run),
    "connections": EnvironmentPart(connections.tasks, connections.run),
    "pooler": EnvironmentPart(pooler.tasks, pooler.run),
    "clock": EnvironmentPart(clock.tasks, clock.run),
}
FAULTS: Final = (
    *disk.FAULTS,
    *connections.FAULTS,
    *pooler.FAULTS,
    *clock.FAULTS,
    *window.FAULTS,
)


def tasks(ground: Setup) -> list[Task]:
    """Every point of every part in both directions, found by looking at undisturbed runs."""
    surveyed = [
        task
        for surveyed in survey.take(ground)
        for part in PARTS.values()
        for task in part.tasks(surveyed)
    ]
    return surveyed + window.tasks(ground)


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point of a task: exactly one row for each."""
    if task.extra["part"] == "window":
        return window.run(ground, task)
    return PARTS[task.extra["part"]].run(ground, task)


ENVIRONMENT = Domain("environment", FAULTS, tasks, run, needs=LEDGER)
