"""Databases as they are just before a step: the starting points of the runs that are struck."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.core.direction import Direction
from harness.core.errors import InfrastructureError, Stopped
from harness.crash.model import START
from harness.crash.run.walk import order
from harness.crash.runners import VERBS
from harness.crash.setup import Setup, named
from harness.database import admin, template
from harness.fault.process import JobProcess, Tell, fork
from harness.runner.outcome import Event
from harness.server import Server

if TYPE_CHECKING:
    from harness.plan import Plan

ORIGIN = "pinned_origin"


def furnished(ground: Setup, server: Server, direction: Direction) -> str:
    """A database on which the runs in a direction begin: seeded, or migrated already; its DSN."""
    dsn = ground.furnish(server.dsn(), ORIGIN)
    if direction == "rollback":
        walk(ground, "forward", dsn)
    return dsn


def start(
    ground: Setup, direction: Direction, dsn: str, plan: Plan, last: str | None = None
) -> JobProcess:
    """Start a runner that stops when the step `last` is done, or goes on to the end.

    With START it stops when the run is recorded and no step is begun. Stopping so is its success.
    """
    steps = order(ground, direction)
    beyond = steps[steps.index(last) + 1 :] if last in steps else []

    def job(tell: Tell) -> Any:
        if ground.prepare is not None:
            named(ground.prepare)()
        reached = False

        def listen(event: Event) -> None:
            nonlocal reached
            begun = last == START and event.kind == "run_started"
            done = event.kind == "step_done" and event.step == last
            passed = event.kind == "step_started" and event.step in beyond  # done by another runner
            reached = reached or begun or done or passed
            tell(event)

        try:
            return VERBS[direction](dsn, plan, on_event=listen, stop=lambda: reached)
        except Stopped:
            if not reached:
                raise
            return None

    return fork(job)


def walk(ground: Setup, direction: Direction, dsn: str, last: str | None = None) -> None:
    """Run undisturbed, as the product does, as far as `start` says.

    Raises InfrastructureError when the run does not come to its end.
    """
    sound = replace(ground, prepare=None)
    with start(sound, direction, dsn, ground.sweeping(), last) as process:
        ending = process.wait()
    if not ending.done:
        raise InfrastructureError(
            f"an undisturbed {direction} run ended with status {ending.status}: {ending.error}",
            where=last or "its end",
            hint="migrate and roll back without faults first",
        )


@dataclass
class PinnedWalk:
    """One database that is walked through a run, step by step; clones are taken on the way."""

    ground: Setup
    server: Server
    direction: Direction
    dsn: str
    _done: str | None = None

    def clone_before(self, step: str) -> str:
        """A copy of the database as it is before a step (START: before the run); its DSN.

        Steps must be asked for in the order of the run; END is asked for as its last step.
        """
        if step != START:
            steps = order(self.ground, self.direction)
            place = steps.index(step)
            last = steps[place - 1] if place else START
            if last != self._done:
                walk(self.ground, self.direction, self.dsn, last)
                self._done = last
        return template.clone(self.server.dsn(), admin.dbname(self.dsn))
