"""Parts of some work on the workers of a cluster, each done once in the end.

A worker has one part at a time. What a lost worker had goes to another. When nothing waits any
more, a part that takes longer than any other took is given to an idle worker besides, once; who
ends first counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core.errors import InfrastructureError
from harness.scenario.cluster.address import Client, refuse_remote
from harness.scenario.cluster.order import WorkOrder
from harness.scenario.cluster.worker import Told, let_go, work

TRIES: Final = 3
"""Workers that may be lost, or fail, with a part before nothing more is known of it."""
PATIENCE: Final = 60.0
"""Seconds without any worker after which it ends: one may be on its way."""
LOOK: Final = 0.05  # seconds between two looks


@dataclass
class Part:
    """Some of the work by its names, and about what it costs."""

    names: list[str]
    cost: float
    failures: list[str] = field(default_factory=list)
    done: bool = False


@dataclass(frozen=True)
class Done:
    """A part and what came of it; `why` says that nothing is known."""

    part: Part
    rows: list[Told]
    why: str = ""


@dataclass
class PartAtWork:
    """A part on a worker, since when."""

    part: Part
    worker: str
    future: Any
    began: float


@dataclass
class Dispatch:
    """One order, from its first part to its last. `heard` is told of each part that is given."""

    client: Client
    order: WorkOrder
    parts: Sequence[Part]
    heard: Callable[[str, Part], None] = lambda _worker, _part: None

    def __post_init__(self) -> None:
        self.waiting = sorted(self.parts, key=lambda part: part.cost)  # the last goes first
        self.running: list[PartAtWork] = []
        self.turned_away: dict[str, str] = {}
        self.longest = 0.0
        self.alone_since = time.monotonic()

    def results(self) -> Iterator[Done]:
        """What came of each part, as it comes. InfrastructureError when no worker is left."""
        try:
            while not all(part.done for part in self.parts):
                there = set(self.client.nthreads())
                if not self.client.scheduler_info()["address"].startswith("tls://"):
                    refuse_remote(there)
                yield from self._lost(there)
                self._give(there - self.turned_away.keys())
                ended = [one for one in self.running if one.future.done()]
                for one in ended:
                    self.running.remove(one)
                    yield from self._ended(one)
                if not ended:
                    time.sleep(LOOK)
        finally:
            self._leave()

    def _lost(self, there: set[str]) -> Iterator[Done]:
        """Take back what workers had that are gone."""
        for one in [one for one in self.running if one.worker not in there]:
            self.running.remove(one)
            one.future.cancel()
            yield from self._failed(one, f"the worker {one.worker} was lost")

    def _give(self, workers: set[str]) -> None:
        """A part for everyone who has none."""
        self._wait_for(workers)
        busy = {one.worker for one in self.running}
        for worker in sorted(workers - busy):
            part = self._next()
            if part is None:
                return
            future = self.client.submit(
                work,
                self.order.document(),
                part.names,
                workers=[worker],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
            self.running.append(PartAtWork(part, worker, future, time.monotonic()))
            self.heard(worker, part)

    def _next(self) -> Part | None:
        if self.waiting:
            return self.waiting.pop()
        now = time.monotonic()
        for one in sorted(self.running, key=lambda one: one.began):
            twice = sum(other.part is one.part for other in self.running) > 1
            if not one.part.done and not twice and 0 < self.longest < now - one.began:
                return one.part
        return None

    def _wait_for(self, workers: set[str]) -> None:
        now = time.monotonic()
        if workers:
            self.alone_since = now
        elif self.turned_away and not self.running:
            worker, why = next(iter(self.turned_away.items()))
            raise InfrastructureError(
                f"every worker was turned away; {worker}: {why}",
                hint="start every worker in a checkout of this commit, with this harness",
            )
        elif now - self.alone_since > PATIENCE:
            raise InfrastructureError(
                f"the scheduler has had no worker for {PATIENCE:.0f} s",
                hint="start some: dask worker --no-nanny --no-dashboard --nthreads 1 ADDRESS",
            )

    def _ended(self, one: PartAtWork) -> Iterator[Done]:
        if one.future.status != "finished":
            error = one.future.exception() if one.future.status == "error" else "cancelled"
            yield from self._failed(one, f"{type(error).__name__}: {error}")
            return
        told = one.future.result()
        if "foreign" in told:
            self.turned_away[one.worker] = told["foreign"]
            self._again(one.part)
        elif not one.part.done:
            self.longest = max(self.longest, time.monotonic() - one.began)
            one.part.done = True
            yield Done(one.part, told["rows"])

    def _failed(self, one: PartAtWork, why: str) -> Iterator[Done]:
        one.part.failures.append(why)
        if one.part.done or any(other.part is one.part for other in self.running):
            return
        if len(one.part.failures) < TRIES:
            self._again(one.part)
            return
        one.part.done = True
        yield Done(one.part, [], f"tried {TRIES} times: " + "; ".join(one.part.failures))

    def _again(self, part: Part) -> None:
        if not part.done and part not in self.waiting:
            self.waiting.append(part)

    def _leave(self) -> None:
        """Let the workers end what they keep, but for those that are still at work."""
        busy = {one.worker for one in self.running}
        idle = [name for name in self.client.nthreads() if name not in busy]
        for one in self.running:
            one.future.cancel()
        if idle:
            self.client.run(let_go, workers=idle, on_error="ignore")
