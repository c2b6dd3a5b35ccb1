"""The one walker of a run: a database that is brought along it, and copied where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.core.direction import Direction
from harness.core.errors import StepFailed
from harness.core.exit_status import ExitStatus
from harness.crash import runners, state
from harness.crash.model import END, START, Point
from harness.crash.setup import Setup
from harness.crash.state import Oracle
from harness.database import admin, template
from harness.fault.process import Ending
from harness.plan import Script
from harness.runner.outcome import Event

BEGUN = ("run_started", "resumed")
NOT_BEGUN = -1


def order(ground: Setup, direction: Direction) -> list[str]:
    """The ids of the plan's steps, in the order in which they are run."""
    steps = [step.id for step in ground.plan.steps]
    return steps if direction == "forward" else steps[::-1]


def advance(ground: Setup, direction: Direction, dsn: str, last: Callable[[Event], bool]) -> Ending:
    """Run on until an event is the `last`, and stop as after a signal; how the process ended.

    Raises StepFailed when the run failed.
    """
    with runners.start(ground, direction, dsn, last=last) as process:
        ending = process.wait()
    if ending.status not in (ExitStatus.DONE, ExitStatus.STOPPED):
        raise StepFailed(
            f"the undisturbed run failed: {ending.error}", hint="correct the plan first"
        )
    return ending


@dataclass
class RunCursor:
    """A database on the way along a run, never back: `at` is the place of the step run next.

    Who leads it along something else than steps, such as commits, counts these for itself.
    """

    ground: Setup
    server_dsn: str
    direction: Direction
    dsn: str
    at: int = NOT_BEGUN

    @classmethod
    def furnished(cls, ground: Setup, server_dsn: str, direction: Direction) -> RunCursor:
        """On a new database from which the run starts, led by the product as it is."""
        sound = ground.undisturbed()
        dsn = sound.furnish(server_dsn, admin.unique_name("harness_walk"))
        if direction == "rollback":
            advance(sound, "forward", dsn, lambda _: False)
        return cls(sound, server_dsn, direction, dsn)

    @classmethod
    def begun(cls, ground: Setup, server_dsn: str, direction: Direction) -> RunCursor:
        """The same, and the run has begun: it is recorded, and no step is."""
        cursor = cls.furnished(ground, server_dsn, direction)
        cursor.begin()
        return cursor

    @property
    def steps(self) -> list[str]:
        """The ids of the steps, in the order of the run."""
        return order(self.ground, self.direction)

    def script(self, step: str) -> Script:
        """The file that the run executes for a step."""
        return self.ground.plan.step(step).script(self.direction)

    def begin(self) -> None:
        """Begin the run, and nothing more."""
        if self.at == NOT_BEGUN:
            self.advance(lambda event: event.kind in BEGUN)
            self.at = 0

    def advance(self, last: Callable[[Event], bool]) -> None:
        """Run on until an event is the `last`."""
        advance(self.ground, self.direction, self.dsn, last)

    def to_end(self) -> None:
        """Run on to the end."""
        self.advance(lambda _: False)

    def to(self, step: str) -> None:
        """Go on to just before a step; START is before the first, END before the last."""
        steps = self.steps
        named = {START: 0, END: len(steps) - 1}
        place = named[step] if step in named else steps.index(step)
        assert place >= self.at, "the way does not go back"
        self.begin()
        if place > self.at:
            before = steps[place - 1]
            self.advance(lambda event: event.kind == "step_done" and event.step == before)
            self.at = place

    def clone(self) -> str:
        """A copy of the database as it stands; its DSN."""
        return template.clone(self.server_dsn, admin.dbname(self.dsn))

    @contextmanager
    def copy(self) -> Iterator[str]:
        """A copy of the database as it stands, for the length of the block."""
        dsn = self.clone()
        try:
            yield dsn
        finally:
            admin.drop(self.server_dsn, admin.dbname(dsn))

    def golden_end(self, dsn: str) -> list[str]:
        """What of a database is not as at the end of a run that nothing disturbed."""
        state.settle(self.server_dsn, admin.dbname(dsn))
        expected = state.end_of(self.ground, self.direction, dsn)
        return state.compared(self.ground, expected, dsn, "at the end")

    def close(self) -> None:
        """Drop the database."""
        admin.drop(self.server_dsn, admin.dbname(self.dsn))


@dataclass
class Scene:
    """A cursor with the ground whose runners are struck, and their judge."""

    ground: Setup
    cursor: RunCursor
    oracle: Oracle

    @property
    def direction(self) -> Direction:
        """Which way the struck run goes."""
        return self.cursor.direction

    def judged(self, dsn: str) -> tuple[str, tuple[str, ...]]:
        """The state of a database, and why it does not end well; the database is used up."""
        found = self.oracle.judge(self.direction, dsn)
        return found.state, (found.reason,) if found.verdict != "pass" else ()

    def ended(self, dsn: str, ending: Ending) -> tuple[str, ...]:
        """Why a run that should have come to the golden end did not."""
        if not ending.done:
            return (f"the run ended with status {ending.status}: {ending.error or 'no message'}",)
        return tuple(self.cursor.golden_end(dsn))


def along(cursor: RunCursor, points: tuple[Point, ...]) -> list[Point]:
    """Points in the order in which a cursor comes to them."""
    places = {step: place for place, step in enumerate(cursor.steps)}
    places |= {START: -1, END: len(places)}
    return sorted(points, key=lambda point: (places[point.step], point))
