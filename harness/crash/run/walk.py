"""An undisturbed way from step to step, and what every strike on a copy of it has in common."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from harness.core.direction import Direction
from harness.core.errors import HarnessError, StepFailed
from harness.core.exit_status import ExitStatus
from harness.crash import runners, state
from harness.crash.model import END, START, CoverageRow, Point
from harness.crash.setup import Setup
from harness.crash.state import Oracle
from harness.crash.tally import point_done
from harness.database import admin, template
from harness.fault.process import Ending, Tell, fork
from harness.plan import Script
from harness.runner.outcome import Event

BEGUN = ("run_started", "resumed")


def order(ground: Setup, direction: Direction) -> list[str]:
    """The ids of the plan's steps, in the order in which they are run."""
    steps = [step.id for step in ground.plan.steps]
    return steps if direction == "forward" else steps[::-1]


def advance(ground: Setup, direction: Direction, dsn: str, last: Callable[[Event], bool]) -> Ending:
    """Run on, undisturbed, until an event is the `last`, and stop as after a signal.

    Gives how the process ended. Raises StepFailed when the run failed.
    """

    def work(_: Tell) -> None:
        seen = False

        def listen(event: Event) -> None:
            nonlocal seen
            seen = seen or last(event)

        runners.VERBS[direction](dsn, ground.sweeping(), on_event=listen, stop=lambda: seen)

    with fork(work) as process:
        ending = process.wait()
    if ending.status not in (ExitStatus.DONE, ExitStatus.STOPPED):
        raise StepFailed(
            f"the undisturbed run failed: {ending.error}", hint="correct the plan first"
        )
    return ending


class Walk:
    """A database that is brought from one step to the next, and copied where it stands.

    A `dsn` that is given is of a database in which the run has just begun.
    """

    def __init__(
        self, ground: Setup, server_dsn: str, direction: Direction, dsn: str | None = None
    ) -> None:
        self.ground, self.direction = replace(ground, prepare=None), direction
        self.server_dsn = server_dsn
        self.steps = order(ground, direction)
        self.at = 0  # the step that is run next, by its place
        self.dsn = dsn or self._begun()

    def _begun(self) -> str:
        """A database in which the run has begun, and nothing more."""
        dsn = self.ground.furnish(self.server_dsn, admin.unique_name("harness_walk"))
        if self.direction == "rollback":
            advance(self.ground, "forward", dsn, lambda _: False)
        advance(self.ground, self.direction, dsn, lambda event: event.kind in BEGUN)
        return dsn

    def script(self, step: str) -> Script:
        """The file that the run executes for a step."""
        return self.ground.plan.step(step).script(self.direction)

    def advance(self, last: Callable[[Event], bool]) -> None:
        """Run on until an event is the `last`."""
        advance(self.ground, self.direction, self.dsn, last)

    def to(self, step: str) -> None:
        """Go on to just before a step; START is before the first, END before the last."""
        named = {START: 0, END: len(self.steps) - 1}
        place = named[step] if step in named else self.steps.index(step)
        assert place >= self.at, "the way does not go back"
        if place > self.at:
            before = self.steps[place - 1]
            self.advance(lambda event: event.kind == "step_done" and event.step == before)
            self.at = place

    @contextmanager
    def copy(self) -> Iterator[str]:
        """A copy of the database as it stands, for the length of the block."""
        dsn = template.clone(self.server_dsn, admin.dbname(self.dsn))
        try:
            yield dsn
        finally:
            admin.drop(self.server_dsn, admin.dbname(dsn))

    def golden_end(self, dsn: str) -> list[str]:
        """What of a database is not as at the end of a run that nothing disturbed."""
        state.settle(self.server_dsn, admin.dbname(dsn))
        expected = state.end_of(self.ground, self.direction, dsn)
        return state.compared(self.ground, expected, dsn, "at the end")


@dataclass(frozen=True)
class FaultOutcome:
    """What a strike came to: no reasons and fired is a pass."""

    fired: bool
    evidence: str
    reasons: tuple[str, ...] = ()
    state: str = ""


@dataclass
class Scene:
    """A walk with the ground whose runners are struck, and their judge."""

    ground: Setup
    walk: Walk
    oracle: Oracle

    @property
    def direction(self) -> Direction:
        """Which way the struck run goes."""
        return self.walk.direction

    def judged(self, dsn: str) -> tuple[str, tuple[str, ...]]:
        """The state of a database, and why it does not end well; the database is used up."""
        found = self.oracle.judge(self.direction, dsn)
        return found.state, (found.reason,) if found.verdict != "pass" else ()

    def ended(self, dsn: str, ending: Ending) -> tuple[str, ...]:
        """Why a run that should have come to the golden end did not."""
        if not ending.done:
            return (f"the run ended with status {ending.status}: {ending.error or 'no message'}",)
        return tuple(self.walk.golden_end(dsn))


def row(point: Point, strike: Callable[[], FaultOutcome]) -> CoverageRow:
    """Strike, and make the row of it; what a strike raises leaves the point unknown."""
    began = time.monotonic()
    try:
        struck = strike()
    except Exception as error:  # one point's trouble is not the next one's
        point_done()
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}{_place_of(error)}"
        return CoverageRow(point, False, "unknown", reason=reason, seconds=time.monotonic() - began)
    point_done()
    reasons = struck.reasons if struck.fired else ("the fault did not fire", *struck.reasons)
    return CoverageRow(
        point,
        struck.fired,
        "fail" if reasons else "pass",
        state=struck.state,
        reason="; ".join(reasons),
        evidence=struck.evidence,
        seconds=time.monotonic() - began,
    )


def _place_of(error: Exception) -> str:
    """Where an error of ours was raised: a bug is looked for, an expected error is not."""
    if isinstance(error, HarnessError | TimeoutError | psycopg.Error):
        return ""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f" ({Path(frame.filename).name}:{frame.lineno})"


def along(walk: Walk, points: tuple[Point, ...]) -> list[Point]:
    """Points in the order in which a walk comes to them."""
    places = {step: place for place, step in enumerate(walk.steps)}
    places |= {START: -1, END: len(places)}
    return sorted(points, key=lambda point: (places[point.step], point))
