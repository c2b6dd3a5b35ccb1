"""What runs on a worker: it makes its ground from the order, once, and does what it is asked for.

Everything here is called by name through the scheduler; what comes and goes are plain values.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from harness.core.direction import Direction
from harness.crash import sample, workers
from harness.crash.prospect import Prospect, prospected
from harness.crash.settings import CrashSettings
from harness.plan import Plan
from harness.scenario.cluster.order import WorkOrder, check_order, why_foreign
from harness.scenario.mutate import mutants
from harness.scenario.mutate.run import MutateSettings, judge_one, started
from harness.server import choose
from harness.server.pool import pool
from harness.subject.plan import PlanSubject

Told = dict[str, Any]
Work = Callable[[list[str]], list[Told]]


@dataclass
class _Grounds:
    """The grounds of this process, by their orders; one piece of work at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    open: dict[WorkOrder, tuple[ExitStack, Work]] = field(default_factory=dict)

    def work(self, order: WorkOrder, names: list[str]) -> list[Told]:
        """Do it, on the ground of the order."""
        with self.lock:
            if order not in self.open:
                self.close()
                stack = ExitStack()
                try:
                    work = stack.enter_context(MAKERS[order.kind](order, check_order(order)))
                except BaseException:
                    stack.close()
                    raise
                self.open[order] = (stack, work)
            return self.open[order][1](names)

    def close(self) -> None:
        """Close every ground: its servers end."""
        while self.open:
            _, (stack, _) = self.open.popitem()
            stack.close()


def work(told: Told, names: list[str]) -> Told:
    """Do the named part of an order: `rows`, or why this worker is `foreign` to it."""
    order = WorkOrder.read(told)
    if why := why_foreign(order):
        return {"foreign": why}
    return {"rows": _GROUNDS.work(order, names)}


def let_go() -> None:
    """End what is kept for further parts. Waits for the part that is at work."""
    with _GROUNDS.lock:
        _GROUNDS.close()


@contextmanager
def _crash_ground(order: WorkOrder, plan: Plan) -> Iterator[Work]:
    """A server, the undisturbed runs on it, and every task that they show."""
    settings = CrashSettings(
        plan=Path(order.plan),
        rows=order.rows,
        seed=order.seed,
        points=1 if order.lean else None,
        boundaries=order.lean,
        domains=order.domains,
        directions=cast("tuple[Direction, ...]", order.directions),
        server=order.server,
        pg_version=order.pg_version,
        workers=1,
        build=None,
    )
    server = choose(order.server, version=order.pg_version, profile="fast", owner_pid=os.getpid())
    with ExitStack() as stack:
        stack.callback(server.close)
        server.start()
        prospect = stack.enter_context(prospected(server, settings, PlanSubject(plan)))
        processes = stack.enter_context(workers.pool(1))

        def strike(names: list[str]) -> list[Told]:
            return [
                asdict(row)
                for task in _tasks(prospect, names)
                for row in processes.submit(workers.run_task, prospect.ground, task).result()
            ]

        yield strike


def _tasks(prospect: Prospect, names: list[str]) -> list[Any]:
    wanted = set(names)
    return sample.only(prospect.every, lambda point: point.id in wanted)


@contextmanager
def _mutate_ground(order: WorkOrder, plan: Plan) -> Iterator[Work]:
    """A server, and the plan's mutants by their names."""
    settings = MutateSettings(
        plan=Path(order.plan), server=order.server, pg_version=order.pg_version, judge=order.judge
    )
    known = {mutant.id: mutant for mutant in mutants.of_plan(plan)}
    with started(settings) as server, pool(1) as processes:

        def judge(names: list[str]) -> list[Told]:
            found = []
            for name in names:
                asked = (order.judge, server.dsn(), plan, known[name])
                result = processes.submit(judge_one, *asked).result()
                found.append(
                    {
                        "id": name,
                        "outcome": result.outcome,
                        "by": result.by,
                        "reason": result.reason,
                        "seconds": result.seconds,
                    }
                )
            return found

        yield judge


MAKERS: Final = {"crash": _crash_ground, "mutate": _mutate_ground}
_GROUNDS: Final = _Grounds()
atexit.register(_GROUNDS.close)
