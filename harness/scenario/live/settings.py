"""What `harness live` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.core.direction import StepDirection
from harness.core.shard import Shard
from harness.plan import Plan, RunnerSettings
from harness.traffic.rate import LATEST

LOADED: Final = 50
"""Operations that a step must meet; with fewer nothing is known of it."""


@dataclass(frozen=True)
class LiveSettings:
    """Rates are operations a second; `seconds` the time that the steps are spread over.

    The rounds (forward and back) are repeated until `acknowledged` writes were acknowledged while
    a run was at work; from the second on the server is killed too, with `server_kills`. A
    `max_wait` is the longest that one client may wait for the locks of one step, else the plan's or
    its header's. `late` are the
    milliseconds that 1 in 100 operations may be sent late or more; `delay` plants a slow sender.
    In a round more, and for `saturation` seconds before and after it, clients send as soon as they
    are answered; with 0 that is not asked. A step that is at work longer than `patience` has the
    clients' inserts held, to see whether it chases them. With `counts_only` there is a rate however
    late the clients send: times then say nothing, the
    counts do, and no extra is needed.
    """

    plan: Plan
    writes: float = 100.0
    reads: float = 200.0
    seconds: float = 20.0
    rows: int = 10_000
    seed: int = 1
    server: str = "embedded"
    pg_version: int | None = None
    max_wait: float | None = None
    acknowledged: int = 0
    server_kills: bool = False
    shard: Shard | None = None
    control: float = 3.0
    late: float = LATEST
    delay: float = 0.0
    saturation: float = 2.0
    patience: float = 30.0
    counts_only: bool = False
    build: Path = Path("build")

    @property
    def word(self) -> str:
        """What chance begins from."""
        return f"{self.seed}-{self.shard.index if self.shard else 1}"

    def bound(self, direction: StepDirection | str, step: str) -> float:
        """How long a client may wait for the locks of this step."""
        if self.max_wait is not None:
            return self.max_wait
        found = next((one for one in self.plan.steps if one.id == step), None)
        own = getattr(found, direction).max_wait if found is not None else None
        return float(own if own is not None else self.bound_of_plan)

    @property
    def bound_of_plan(self) -> float:
        """The bound of steps that have none of their own."""
        if self.max_wait is not None:
            return self.max_wait
        return self.plan.runner.max_wait or RunnerSettings().max_wait

    @property
    def measured(self) -> Plan:
        """The plan, with a runner that lets clients wait: how long they do is what is asked."""
        return replace(self.plan, runner=replace(self.plan.runner, max_wait=0.0))

    def pause(self, rate: float) -> float:
        """How long a run rests after each step, so that the step meets enough operations.

        Nearly twice as many on average: arrivals are not even, and one of many steps would miss.
        """
        windows = 2 * len(self.plan.steps)
        return max(self.seconds / windows, 1.9 * LOADED / rate)
