"""Tasks spread over processes that have no threads, so that they may fork runners."""

from __future__ import annotations

import importlib
import multiprocessing
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import cast

from harness.errors import HarnessError
from harness.scenario.crash.ground import Ground
from harness.scenario.crash.model import Domain, Row, Task
from harness.scenario.lifetime import end_with_parent

PRELOAD = ["harness.scenario.crash.runners", "harness.scenario.crash.state", "psycopg"]


def domain(name: str) -> Domain:
    """The domain of this name: a module beside this one."""
    return cast("Domain", importlib.import_module(f"harness.scenario.crash.{name}"))


def pool(workers: int) -> ProcessPoolExecutor:
    """Worker processes, forked from a warmed server that has no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent)


def run_tasks(ground: Ground, tasks: Sequence[Task], workers: int = 2) -> Iterator[Row]:
    """Run tasks, the heaviest first; give their rows as they come."""
    ordered = sorted(tasks, key=lambda task: -task.weight)
    with pool(workers) as processes:
        futures = [processes.submit(run_task, ground, task) for task in ordered]
        for future in as_completed(futures):
            yield from future.result()


def find_tasks(ground: Ground, name: str) -> list[Task]:
    """What a domain must strike, found in a process of its own."""
    return find_all(ground, [name])[name]


def find_all(ground: Ground, names: Sequence[str], workers: int = 1) -> dict[str, list[Task]]:
    """What each domain must strike, by domain, found in processes side by side."""
    with pool(workers) as processes:
        found = {name: processes.submit(_found, ground, name) for name in names}
        return {name: future.result() for name, future in found.items()}


def _found(ground: Ground, name: str) -> list[Task]:
    return domain(name).tasks(ground)


def run_task(ground: Ground, task: Task) -> list[Row]:
    """One row for every point of a task, whatever becomes of it."""
    try:
        rows = domain(task.domain).run(ground, task)
    except HarnessError as error:
        rows, reason = [], str(error)
    except Exception:  # a bug of ours: shown, and what it hid is unknown
        rows, reason = [], traceback.format_exc()
    else:
        reason = "the domain gave no row for it"
    told = {row.point for row in rows}
    missing = [point for point in task.points if point not in told]
    return rows + [Row(point, False, "unknown", reason=reason) for point in missing]
