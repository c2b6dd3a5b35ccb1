"""Tasks spread over processes that have no threads, so that they may fork runners."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from harness.core.errors import HarnessError
from harness.crash import tally
from harness.crash.model import CoverageRow, DomainName, Task
from harness.crash.registry import REGISTRY
from harness.crash.setup import Setup
from harness.server.pool import pool as processes_of

PRELOAD = ["harness.crash.runners", "harness.crash.state", "psycopg"]
SECOND = 1.0
Pool: TypeAlias = AbstractContextManager[ProcessPoolExecutor]


def pool(workers: int, begin: Callable[..., None] | None = None, *arguments: Any) -> Pool:
    """Worker processes that know the exploration's modules already."""
    return processes_of(workers, PRELOAD, begin, *arguments)


def run_tasks(
    ground: Setup,
    tasks: Sequence[Task],
    workers: int = 2,
    told: Callable[[int], None] | None = None,
) -> Iterator[CoverageRow]:
    """Run tasks, the heaviest first; give their rows as they come.

    `told` hears about once a second how many points are done, in tasks that still run too.
    """
    ordered = sorted(tasks, key=lambda task: -task.weight)
    counter = multiprocessing.get_context("forkserver").Value("i", 0)
    with pool(workers, tally.count_in, counter) as processes:
        left = {processes.submit(run_task, ground, task) for task in ordered}
        while left:
            done, left = wait(left, SECOND, FIRST_COMPLETED)
            for future in done:
                yield from future.result()
            if told is not None:
                told(counter.value)


def find_tasks(ground: Setup, name: DomainName) -> list[Task]:
    """What a domain must strike, found in a process of its own."""
    return find_all(ground, [name])[name]


def find_all(
    ground: Setup,
    names: Sequence[DomainName],
    workers: int = 1,
    failures: dict[DomainName, str] | None = None,
    told: Callable[[], None] | None = None,
) -> dict[DomainName, list[Task]]:
    """What each domain must strike, by domain, found in processes side by side.

    Where `failures` is given, a domain that could not look says why there, and has no tasks.
    `told` is called about once a second.
    """
    with pool(workers) as processes:
        found = {name: processes.submit(_found, ground, name) for name in names}
        while told is not None and wait(found.values(), SECOND).not_done:
            told()
        return {name: _looked(name, future, failures) for name, future in found.items()}


def _looked(
    name: DomainName, future: Future[list[Task]], failures: dict[DomainName, str] | None
) -> list[Task]:
    if failures is None:
        return future.result()
    try:
        return future.result()
    except HarnessError as error:
        failures[name] = f"the domain could not look for points: {error}"
    except BrokenExecutor:
        raise  # a worker was killed: nothing more will come of this pool
    except Exception:  # a bug of ours: shown, and what it hid is unknown
        failures[name] = f"the domain could not look for points: {traceback.format_exc()}"
    return []


def _found(ground: Setup, name: str) -> list[Task]:
    return REGISTRY[name].tasks(ground)


def run_task(ground: Setup, task: Task) -> list[CoverageRow]:
    """One row for every point of a task, whatever becomes of it."""
    try:
        rows = REGISTRY[task.domain].run(ground, task)
    except HarnessError as error:
        rows, reason = [], str(error)
    except Exception:  # a bug of ours: shown, and what it hid is unknown
        rows, reason = [], traceback.format_exc()
    else:
        reason = "the domain gave no row for it"
    told = {row.point for row in rows}
    missing = [point for point in task.points if point not in told]
    return rows + [CoverageRow(point, False, "unknown", reason=reason) for point in missing]
