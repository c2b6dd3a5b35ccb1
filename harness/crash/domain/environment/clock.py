"""The runner's clock jumps, or is wrong: the database's clock is the one that counts.

The runner is the real command line, under libfaketime. Midway it is pinned by a transaction that
holds every table, confirmed in pg_locks, and told by its own word that the clock has jumped.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from harness.core.direction import Direction
from harness.core.exit_status import ExitStatus
from harness.crash.domain.environment.own_server import OwnServer, struck
from harness.crash.domain.environment.survey import Survey, holding, pinned_step
from harness.crash.model import END, START, CoverageRow, Point, Task
from harness.crash.run.outcome import FaultOutcome
from harness.crash.runners import run as run_to_the_end
from harness.crash.setup import Setup
from harness.crash.state import identify, settle
from harness.database import admin
from harness.database.ledger_names import spelled
from harness.fault.clock import ClockedHarness, Finished, library

HOURS: Final = {"clock-jumps-ahead": 48.0, "clock-jumps-back": -48.0}
AHEAD, BEHIND = "clock-ahead", "clock-behind"  # all the time
FAULTS: Final = (*HOURS, AHEAD, BEHIND)
VERBS: Final[dict[Direction, str]] = {"forward": "migrate", "rollback": "rollback"}
AGED: Final = spelled("update {run} set completed_at = completed_at - %s * interval '1 hour'")
SLACK: Final = 0.5  # of a jump: by so much may the two looks at the clock be apart


def tasks(survey: Survey) -> list[Task]:
    """A jump either way while a step waits; and rules that ask what time it is."""
    way = survey.direction
    step = survey.pinned
    points = [Point("environment", way, step, "pinned", fault) for fault in HOURS if step]
    if way == "rollback":
        points.append(Point("environment", way, START, "in-the-window", AHEAD))
        points.append(Point("environment", way, START, "after-the-window", BEHIND))
    else:
        points.append(Point("environment", way, END, "in-the-retention", AHEAD))
    return [Task("environment", tuple(points), weight=60.0, extra={"part": "clock"})]


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point, on one server."""
    library()  # without it nothing here can be struck
    with OwnServer(ground, task.points[0].direction) as stage:
        return struck(task, lambda point: _strike(stage, point))


def _strike(stage: OwnServer, point: Point) -> FaultOutcome:
    if point.boundary == "pinned":
        return _jump(stage, point)
    hours = stage.ground.plan.window_hours + 24
    if point.boundary == "in-the-window":
        return _in_the_window(stage, hours)
    if point.boundary == "after-the-window":
        return _after_the_window(stage, hours)
    return _in_the_retention(stage)


def _command(stage: OwnServer, verb: str, dsn: str, *, offset: float = 0) -> ClockedHarness:
    arguments = [verb, "--json", "--plan", str(stage.ground.plan.path)]
    return ClockedHarness(arguments, dsn, offset=offset, prepare=stage.ground.prepare)


def _jump(stage: OwnServer, point: Point) -> FaultOutcome:
    dsn, hours = stage.clone(), HOURS[point.fault]
    with _command(stage, VERBS[stage.direction], dsn) as command:
        with holding(dsn, stage.ground.plan):
            step = pinned_step(dsn)
            before = command.time()
            command.jump(hours)
            moved = (command.time() - before) / 3600
        done = command.wait()
    fired = abs(moved - hours) < SLACK and step == point.step
    seen = f"its clock moved by {moved:+.2f} hours while {step} waited for a lock"
    reasons = _not_done(stage, dsn, done)
    stage.drop(dsn)
    return FaultOutcome(
        fired, seen, reasons, "completed" if done.status == ExitStatus.DONE else "stopped"
    )


def _not_done(stage: OwnServer, dsn: str, done: Finished) -> tuple[str, ...]:
    if done.status != ExitStatus.DONE:
        return (f"the {stage.direction} run ended with status {done.status}: {done.stderr}",)
    return stage.misses(dsn)


def _in_the_window(stage: OwnServer, hours: float) -> FaultOutcome:
    """A rollback just after the migration, by a runner whose clock says that it is too late."""
    dsn = stage.clone()
    done, seen = _wrong(stage, "rollback", dsn, hours)
    reasons = _not_done(stage, dsn, done)
    stage.drop(dsn)
    state = "completed" if done.status == ExitStatus.DONE else "refused"
    return FaultOutcome(bool(seen), seen, reasons, state)


def _after_the_window(stage: OwnServer, hours: float) -> FaultOutcome:
    """A rollback too late, by a runner whose clock says that it is early enough."""
    dsn = stage.clone()
    with admin.connection(dsn) as conn:
        conn.execute(AGED, [hours])
    return _kept_off(stage, "rollback", dsn, -hours)


def _in_the_retention(stage: OwnServer) -> FaultOutcome:
    """A clean-up just after the migration, by a runner whose clock says that its time has come."""
    dsn = stage.clone()
    ending = run_to_the_end(replace(stage.ground, prepare=None), "forward", dsn)
    assert ending.done, f"the undisturbed run failed: {ending.error}"
    return _kept_off(stage, "cleanup", dsn, (stage.ground.plan.retention_days + 1) * 24)


def _kept_off(stage: OwnServer, verb: str, dsn: str, hours: float) -> FaultOutcome:
    """The command must be refused, and leave the database as it is."""
    settle(stage.server.dsn(), admin.dbname(dsn))
    before = identify(stage.ground, dsn)
    done, seen = _wrong(stage, verb, dsn, hours)
    settle(stage.server.dsn(), admin.dbname(dsn))
    after = identify(stage.ground, dsn)
    reasons = []
    if done.status != ExitStatus.FAILED:
        reasons.append(f"{verb} was not refused: status {done.status} {done.stderr}".rstrip())
    if after.key != before.key:
        reasons.append(f"{verb} changed the database: {after.way}")
    stage.drop(dsn)
    return FaultOutcome(bool(seen), seen, tuple(reasons), after.way)


def _wrong(stage: OwnServer, verb: str, dsn: str, hours: float) -> tuple[Finished, str]:
    """Run a command whose clock is wrong all the time; evidence that it was, '' if it was not."""
    with _command(stage, verb, dsn, offset=hours) as command:
        apart = (command.started() - time.time()) / 3600
        done = command.wait()
    seen = f"its clock was {apart:+.2f} hours from the true time; {done.stderr}".rstrip("; ")
    return done, seen if abs(apart - hours) < SLACK else ""
