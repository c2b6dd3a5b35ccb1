"""Rounds under traffic: forward, killed, resumed; back, killed, resumed."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final, Literal, TypeAlias

from harness import runner
from harness.core.direction import Direction
from harness.fault.process import Ending, Job, JobProcess, Tell, fork
from harness.plan import Plan
from harness.runner import Event
from harness.server import Server
from harness.traffic.history import StepWindow

OFTEN: Final = 0.1  # seconds
TRIES: Final = 6  # runners that may be needed to end a run
Struck: TypeAlias = Literal["runner", "server"]


@dataclass(frozen=True)
class PlannedKill:
    """What is killed in which step: at the end of its first batch, or as soon as it begins."""

    round: int
    direction: Direction
    step: str
    victim: Struck
    kinds: tuple[str, ...]
    fired: bool = False


@dataclass(frozen=True)
class HeldStep:
    """A step during which the clients' inserts were held: how long it worked before, and then."""

    direction: Direction
    step: str
    before: float
    after: float

    @property
    def chased(self) -> bool:
        """Whether it ended soon after nothing came any more."""
        return self.after < self.before / 3


@dataclass(frozen=True)
class RunEnd:
    """How a run ended at last; `error` is empty where it came to its end."""

    direction: Direction
    begun: float
    ended: float
    error: str = ""


@dataclass
class TrafficCourse:
    """What happened: the window of each step, the kills, the ends of the runs, inserts held."""

    steps: list[StepWindow] = field(default_factory=list)
    kills: list[PlannedKill] = field(default_factory=list)
    runs: list[RunEnd] = field(default_factory=list)
    held: list[HeldStep] = field(default_factory=list)

    @property
    def failed(self) -> str:
        """Why a run did not come to its end; empty where all did."""
        return next((run.error for run in self.runs if run.error), "")


def plan_kills(plan: Plan, number: int, *, server: bool) -> list[PlannedKill]:
    """The kills of a round: one in each direction, in another step each round."""
    kills = []
    for direction in ("forward", "rollback"):
        batches = [step for step in plan.steps if getattr(step, direction).kind == "batch"]
        steps = batches if batches and number % 2 else list(plan.steps)
        step = steps[(number * 7 + len(steps) // 2) % len(steps)]
        batch = getattr(step, direction).kind == "batch"
        kinds = ("batch", "step_done") if batch else ("step_started",)
        victim: Struck = "server" if server and number % 2 == 0 else "runner"
        kills.append(PlannedKill(number, direction, step.id, victim, kinds))
    return kills


@dataclass
class Conductor:
    """Takes runs through their course; every runner is a forked process that may be killed.

    `hold` has the clients insert nothing, or go on; it is called when a step is at work for longer
    than `patience`, and from the beginning of the steps in `without_inserts`. `look` is called all
    the time, several times a second.
    """

    plan: Plan
    server: Server
    dsn: Callable[[], str]
    pause: float
    tell: Callable[[str], None]
    course: TrafficCourse = field(default_factory=TrafficCourse)
    patience: float = inf
    hold: Callable[[bool], None] = lambda _held: None
    look: Callable[[], None] = lambda: None
    without_inserts: frozenset[tuple[str, str]] = frozenset()

    def run(self, direction: Direction, kill: PlannedKill | None) -> bool:
        """Run in a direction to its end, with runners that go on where one was killed."""
        begun = time.monotonic()
        error = ""
        for _ in range(TRIES):
            ending, kill = self._one(direction, kill)
            if ending.done:
                error = ""
                break
            error = ending.error or f"the runner ended with status {ending.status}"
            if not self._goes_on(ending):
                break
        self.course.runs.append(RunEnd(direction, begun, time.monotonic(), error))
        if kill is not None:
            self.course.kills.append(kill)
        return not error

    def _goes_on(self, ending: Ending) -> bool:
        """Whether another runner is to go on: it was killed, or lost its server."""
        return ending.status < 0 or ending.status in (3, 5)

    def _one(
        self, direction: Direction, kill: PlannedKill | None
    ) -> tuple[Ending, PlannedKill | None]:
        """One runner, from its start to its end; the kill that is still to come."""
        with fork(_job(direction, self.plan, self.dsn(), self.pause)) as process:
            follower = _Follower(self, process, direction, kill)
            try:
                follower.follow()
            finally:
                follower.release(time.monotonic())
            ending = process.wait()
        died = time.monotonic()
        if not ending.done:
            time.sleep(self.pause)  # the step that was killed is to meet its users, too
        self.course.steps += follower.windows(died, time.monotonic())
        if follower.fired is not None:
            self.course.kills.append(follower.fired)
            return ending, None
        return ending, kill


def _job(direction: Direction, plan: Plan, dsn: str, pause: float) -> Job:
    def work(tell: Tell) -> Any:
        def on_event(event: Event) -> None:
            tell((event.kind, event.step, time.monotonic()))
            if event.kind == "step_done":
                time.sleep(pause)  # with nothing open: the step's users come in meanwhile

        go = runner.migrate if direction == "forward" else runner.rollback
        return go(dsn, plan, on_event=on_event).state

    return work


@dataclass
class _Follower:
    """Hears what a runner tells, and strikes when it is time."""

    conductor: Conductor
    process: JobProcess
    direction: Direction
    kill: PlannedKill | None
    fired: PlannedKill | None = None
    heard: int = 0
    step: str = ""
    since: float = inf
    held: float | None = None

    def follow(self) -> None:
        """Listen until the runner has ended."""
        while self.process.listen():
            self._hear()
            if self.held is None and time.monotonic() - self.since > self.conductor.patience:
                self._hold()
            self.conductor.look()
            select.select([self.process], [], [], OFTEN)
        self._hear()

    def _hold(self) -> None:
        """Have the clients insert nothing until the step is done."""
        self.conductor.tell(f"{self.direction} {self.step}: the clients insert nothing meanwhile")
        self.conductor.hold(True)
        self.held = time.monotonic()

    def release(self, ended: float) -> None:
        """Let the clients insert again; the step ended at that moment."""
        if self.held is not None:
            self.conductor.hold(False)
            before = max(0.0, self.held - self.since)
            one = HeldStep(self.direction, self.step, before, max(0.0, ended - self.held))
            self.conductor.course.held.append(one)
        self.step, self.since, self.held = "", inf, None

    def _mind(self, kind: str, step: str, at: float) -> None:
        """Know the step that is at work, and hold inserts where that is asked for."""
        if kind == "step_started":
            self.step, self.since = step, at
            if (self.direction, step) in self.conductor.without_inserts:
                self._hold()
        elif kind == "step_done":
            self.release(at)

    def _hear(self) -> None:
        for kind, step, at in self.process.told[self.heard :]:
            self._mind(kind, step, at)
            if kind == "step_started":
                self.conductor.tell(f"{self.direction} {step}")
            if self.kill and self.fired is None and step == self.kill.step:
                self._strike(self.kill, kind)
        self.heard = len(self.process.told)

    def _strike(self, kill: PlannedKill, kind: str) -> None:
        if kind not in kill.kinds:
            return
        self.fired = replace(kill, fired=True)
        self.conductor.tell(f"{self.direction} {kill.step}: the {kill.victim} is killed")
        if kill.victim == "runner":
            self.process.signal(signal.SIGKILL)
        else:
            self.conductor.server.kill()
            self.conductor.server.restart()

    def windows(self, died: float, ended: float) -> list[StepWindow]:
        """The step windows of this runner; the last one of a killed runner ends with it."""
        kinds = {step.id: getattr(step, self.direction).kind for step in self.conductor.plan.steps}
        found: list[StepWindow] = []
        began: dict[str, float] = {}
        starts = [at for kind, _, at in self.process.told if kind == "step_started"]
        for kind, step, at in self.process.told:
            if kind == "step_started":
                began[step] = at
            elif kind == "step_done" and step in began:
                following = next((start for start in starts if start > at), ended)
                found.append(self._window(step, kinds, began.pop(step), at, following))
        for step, at in began.items():
            found.append(self._window(step, kinds, at, died, ended, killed=True))
        return found

    def _window(
        self,
        step: str,
        kinds: dict[str, str],
        begun: float,
        done: float,
        ended: float,
        *,
        killed: bool = False,
    ) -> StepWindow:
        return StepWindow(
            direction=self.direction, step=step, kind=kinds.get(step, ""),
            begun=begun, done=done, ended=ended, killed=killed,
        )  # fmt: skip
