"""A runner in a process of its own, stopped for good at a moment of our choosing, then killed.

The processes are forked from a warmed server (multiprocessing's forkserver), not from the test: a
process with threads and open connections is no parent.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Literal

from harness.plan import Plan
from harness.runner import Event, migrate, rollback

Action = Literal["migrate", "rollback"]
Mark = tuple[str, str | None, int]  # an event's kind, step and rows
PATIENCE = 60.0

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["harness.runner", __name__])


class Runner:
    """A runner at work in another process; `reached` is where it stopped, None when it ended."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process = process
        self._pipe = pipe

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process.pid is not None
        return self.process.pid

    def wait(self) -> Mark | None:
        """Wait until it stands still at its event, or has ended of itself (None)."""
        if not self._pipe.poll(PATIENCE):
            raise TimeoutError(f"the runner did not report within {PATIENCE:g} s")
        told: Mark | Exception | None = self._pipe.recv()
        if isinstance(told, Exception):
            raise told
        return told

    def kill(self) -> None:
        """SIGKILL it; nothing of it is left but, for a moment, its backend."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.join(PATIENCE)
        assert self.process.exitcode == -signal.SIGKILL


@dataclass(frozen=True)
class KillPlace:
    """Where to stand still: at the first event of these kinds (and step) that is not skipped."""

    kinds: tuple[str, ...] = ()
    step: str | None = None
    skip: frozenset[Mark] = frozenset()

    def here(self, mark: Mark) -> bool:
        """Whether this is the event."""
        kind, step, _ = mark
        return kind in self.kinds and self.step in (None, step) and mark not in self.skip


NEVER = KillPlace()


@contextmanager
def runner(
    action: Action, dsn: str, plan: Plan, stand: KillPlace = NEVER, until: str | None = None
) -> Iterator[Runner]:
    """Start a runner that stands still where told."""
    ours, theirs = _context.Pipe()
    arguments = (action, dsn, plan, stand, until, theirs)
    process = _context.Process(target=_work, args=arguments, daemon=True)
    process.start()
    theirs.close()
    try:
        yield Runner(process, ours)
    finally:
        if process.is_alive():
            process.kill()
            process.join(PATIENCE)
        ours.close()


def killed_at(
    action: Action, dsn: str, plan: Plan, stand: KillPlace, until: str | None = None
) -> Mark | None:
    """Run until it stands still and kill it there; where, or None when it came to its end."""
    with runner(action, dsn, plan, stand, until) as run:
        reached = run.wait()
        if reached is not None:
            run.kill()
        return reached


def _work(
    action: Action, dsn: str, plan: Plan, stand: KillPlace, until: str | None, pipe: Connection
) -> None:
    def stand_still(event: Event) -> None:
        mark = (event.kind, event.step, event.rows)
        if stand.here(mark):
            pipe.send(mark)
            while True:
                signal.pause()

    try:
        if action == "migrate":
            migrate(dsn, plan, until=until, on_event=stand_still)
        else:
            rollback(dsn, plan, on_event=stand_still)
        pipe.send(None)
    except Exception as error:
        pipe.send(error)
