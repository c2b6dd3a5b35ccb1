"""The own server of an environment's fault: it is started for every run, and its state judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final

from harness.core.direction import Direction
from harness.crash import runners
from harness.crash.domain.environment.halt import Halt, halting, said
from harness.crash.model import CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome, row_of
from harness.crash.setup import Setup
from harness.crash.state import Oracle, compared, end_of, settle
from harness.database import admin, template
from harness.fault.process import Ending, JobProcess, fork

if TYPE_CHECKING:
    from harness.plan import Plan

BEGIN: Final = "environment_begin"


class OwnServer:
    """A server of one task's own with a database from which every run of its direction begins.

    The preparing run is the product's own: planted defects come into the struck runners only.
    """

    def __init__(self, ground: Setup, direction: Direction, profile: str = "durable") -> None:
        self.ground, self.direction = ground, direction
        self.server = ground.server(profile)
        try:
            dsn = ground.furnish(self.server.dsn(), BEGIN)
            if direction == "rollback":
                self._migrate(dsn)
            settle(self.server.dsn(), BEGIN)
        except BaseException:
            self.server.close()
            raise
        self.oracle = Oracle(ground, self.server.dsn())

    def _migrate(self, dsn: str) -> None:
        ending = runners.run(replace(self.ground, prepare=None), "forward", dsn)
        assert ending.done, f"the undisturbed run failed: {ending.error}"

    def clone(self) -> str:
        """A database from which the direction's run begins."""
        return template.clone(self.server.dsn(), BEGIN)

    def drop(self, dsn: str) -> None:
        """Drop a database that is done with."""
        admin.drop(self.server.dsn(), admin.dbname(dsn))

    def start(self, dsn: str, plan: Plan | None = None, *halts: Halt) -> JobProcess:
        """Start a runner that halts at each of these moments."""
        return fork(halting(runners.job(self.ground, self.direction, dsn, plan), halts))

    def restart(self) -> None:
        """Start the server again, whatever became of it; databases keep their DSN."""
        self.server.restart()
        self.server.wait_ready()
        self.oracle.server_dsn = self.server.dsn()

    def misses(self, dsn: str) -> tuple[str, ...]:
        """How a database that is done differs from what it should be."""
        settle(self.server.dsn(), admin.dbname(dsn))
        expected = end_of(self.ground, self.direction, dsn)
        return tuple(compared(self.ground, expected, dsn, f"after the {self.direction} run"))

    def __enter__(self) -> OwnServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.close()


def judged(stage: OwnServer, dsn: str, reasons: list[str], seen: str) -> FaultOutcome:
    """Judge the state that a runner left; without evidence that it was struck it was not."""
    judgement = stage.oracle.judge(stage.direction, dsn)
    stage.drop(dsn)
    found = [*reasons, *([judgement.reason] if judgement.verdict != "pass" else [])]
    return FaultOutcome(bool(seen), seen, tuple(found), judgement.state)


def finished(stage: OwnServer, dsn: str, ending: Ending, seen: str) -> FaultOutcome:
    """Judge a runner that should have gone on to its end in spite of all."""
    if not ending.done:
        return judged(stage, dsn, [f"the runner did not go on: {said(ending)}"], seen)
    reasons = stage.misses(dsn)
    stage.drop(dsn)
    return FaultOutcome(bool(seen), seen, reasons, "completed")


def struck(task: Task, strike: Callable[[Point], FaultOutcome]) -> list[CoverageRow]:
    """Strike at each point of a task; what goes wrong with one is its row, and the next goes on."""
    return [row_of(point, partial(strike, point)) for point in task.points]
