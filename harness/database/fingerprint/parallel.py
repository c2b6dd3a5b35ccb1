"""Work off tasks over several connections, each from a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from harness.core.progress import Tally
from harness.database.fingerprint.session import Connection

Task: TypeAlias = Callable[[Connection], None]


@dataclass(frozen=True)
class Sized:
    """A task that reads so many bytes of a relation."""

    task: Task
    name: str
    size: int

    def __call__(self, conn: Connection) -> None:
        """Do it."""
        self.task(conn)


def run(connections: Sequence[Connection], tasks: Iterable[Task]) -> None:
    """Do every task, in order, on whichever connection is free; the first error ends the work."""
    left = deque(tasks)
    tally = Tally(sum(task.size for task in left if isinstance(task, Sized)), "bytes")

    def work(conn: Connection) -> None:
        try:
            while left:
                task = _next(left)
                task(conn)
                if isinstance(task, Sized):
                    tally.add(task.size, task.name)
        except BaseException:
            left.clear()
            raise

    with ThreadPoolExecutor(max_workers=max(1, len(connections) - 1)) as pool:
        helpers = [pool.submit(work, conn) for conn in connections[1:]]
        work(connections[0])
    for helper in helpers:
        helper.result()


def _next(left: deque[Task]) -> Task:
    try:
        return left.popleft()
    except IndexError:  # another thread took the last one
        return lambda _: None
