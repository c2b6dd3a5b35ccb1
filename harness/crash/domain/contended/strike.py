"""Strikes by rivals: a lock that is not granted, a deadlock, a serialization failure."""

from __future__ import annotations

import re
import signal
from urllib.parse import quote, unquote

from psycopg import sql

from harness.core.exit_status import ExitStatus
from harness.core.poll import wait_until
from harness.core.sqlstate import DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE, SERIALIZATION_FAILURE
from harness.crash import runners
from harness.crash.model import END, START, Point
from harness.crash.run.cursor import Scene
from harness.crash.run.outcome import FaultOutcome
from harness.database.ledger_names import qualified, spelled
from harness.database.locks import BY_NAME, LockWords
from harness.fault.contention import (
    ALWAYS,
    Collisions,
    Rival,
    hasty_in_deadlocks,
)
from harness.fault.process import Ending, JobProcess
from harness.plan import Script
from harness.runner.outcome import Event

CHECKPOINTS = qualified("step")
EVENTS = qualified("event")
RUN = qualified("run")
WHOLE_RUN = spelled("lock table {run} in access exclusive mode")
RUN_ROW = spelled("select from {run} where state = 'running' for update")
SHORT, LONG = 0.05, 20.0
PATIENCE = 40.0  # longer than any of these runs takes to give up
HANDED_OVER = 2.0  # longer than it takes to hand a lock from one rival to the next
LOOK_FOR_DEADLOCKS = 150  # milliseconds: time enough for a rival to ask back
ATTEMPTS = 3


def boundary(name: str, mode: str) -> str:
    """A relation and the mode in which a rival holds it, as a point's boundary."""
    return f"{quote(name, safe='.')}@{mode.replace(' ', '_')}"


def against(name: str, lock: str) -> str:
    """The boundary at which a rival keeps a lock, named as pg_locks does, from being granted."""
    return boundary(name, BY_NAME[lock].rival)


def held(point: Point) -> tuple[str, LockWords]:
    """The relation and mode of a boundary."""
    name, _, mode = point.boundary.rpartition("@")
    found: LockWords = mode.replace("_", " ")  # type: ignore[assignment]  # made by `boundary`
    return unquote(name), found


def first_retry(runner: JobProcess, step: str) -> Event | None:
    """Wait until a step, or the runner's own work, is tried again; None when it ends without."""
    told = None if step in (START, END) else step
    try:
        found: Event = runner.wait_told(lambda event: event.kind == "retry" and event.step == told)
    except TimeoutError:
        return None
    return found


def ended(runner: JobProcess) -> Ending:
    """The end of a runner; one that does not come to it has ended badly, and is killed."""
    try:
        return runner.wait(PATIENCE)
    except TimeoutError as error:
        runner.kill()
        return Ending(-signal.SIGKILL, error=str(error))


def told_by(retry: Event | None, ending: Ending, sqlstate: str) -> bool:
    """Whether the runner says that it met an error."""
    return sqlstate in (retry.message if retry else ending.error)


def named(ending: Ending, of: Script | None, sqlstate: str) -> tuple[str, ...]:
    """Why the end of a run that had to give up does not name file, line and SQLSTATE.

    Without a script the runner was at its own work: it names the ledger, and stops, resumable.
    """
    where = "the ledger: " if of is None else re.escape(of.name) + r":\d+: "
    due = ExitStatus.STOPPED if of is None else ExitStatus.FAILED
    if ending.status == due and re.search(rf"(?s){where}.*SQLSTATE {sqlstate}", ending.error):
        return ()
    place = "the ledger" if of is None else of.name
    found = f"status {ending.status} and {ending.error or 'no message'!r}"
    return (f"{found} where status {due}, {place} and {sqlstate} were due",)


def _script(scene: Scene, step: str) -> Script | None:
    return None if step in (START, END) else scene.cursor.script(step)


def lock_timeout(scene: Scene, point: Point, persistent: bool) -> FaultOutcome:
    """Hold a relation until the runner tries again, or gives up."""
    retries = 1 if persistent else 12
    short = HANDED_OVER if point.step == END else SHORT
    plan = scene.ground.sweeping(lock_timeout=short, concurrent_lock_timeout=short, retries=retries)
    name, mode = held(point)
    with scene.cursor.copy() as dsn:
        with Rival(dsn) as rival:
            if point.step == END:
                _to_end(scene, point, dsn)
            first = EVENTS if point.step == END else name
            rival.lock(first, "share" if point.step == END else mode)
            with runners.start(
                scene.ground, scene.direction, dsn, plan, close=rival.sockets
            ) as runner:
                if point.step == END:
                    retry, ending = _hold_run(dsn, rival, runner, persistent)
                else:
                    retry = None if persistent else first_retry(runner, point.step)
                    ending = _released(rival, runner, bool(persistent))
        fired = told_by(retry, ending, LOCK_NOT_AVAILABLE)
        evidence = retry.message if retry else ending.error
        if not persistent:
            return FaultOutcome(fired, evidence, scene.ended(dsn, ending))
        state, judged = scene.judged(dsn)
        reasons = named(ending, _script(scene, point.step), LOCK_NOT_AVAILABLE)
        return FaultOutcome(fired, evidence, reasons + judged, state)


def _released(rival: Rival, runner: JobProcess, late: bool) -> Ending:
    """Let go now, or when the runner has ended; its end."""
    if not late:
        rival.close()
    ending = ended(runner)
    rival.close()
    return ending


def _to_end(scene: Scene, point: Point, dsn: str) -> None:
    """Run until nothing is left but to say that the run is complete."""
    collisions = Collisions(dsn)
    arm(collisions, point, ALWAYS)
    runners.run(scene.cursor.ground, scene.direction, dsn)
    collisions.remove()


def _hold_run(
    dsn: str, rival: Rival, runner: JobProcess, persistent: bool
) -> tuple[Event | None, Ending]:
    """Hand the run's table over: from the claim, which uses it, to one who keeps it for a while.

    A lock on a table is given to who is next in line by the one who lets it go: no moment between.
    """
    rival.until_blocking()
    with Rival(dsn) as keeper:
        keeper.ask(WHOLE_RUN)
        keeper.until_waiting()
        rival.close()
        retry = None if persistent else first_retry(runner, END)
        if not persistent:
            keeper.close()
        return retry, ended(runner)


class _Missed(Exception):  # noqa: N818 - the two sides passed each other; nothing is wrong
    """The deadlock did not come about."""


def deadlock(scene: Scene, point: Point, persistent: bool) -> FaultOutcome:
    """Hold what the runner waits for, and ask for what it holds: it is the victim."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _deadlock(scene, point, persistent)
        except _Missed:
            continue
    return _deadlock(scene, point, persistent)


def _deadlock(scene: Scene, point: Point, persistent: bool) -> FaultOutcome:
    plan = scene.ground.sweeping(
        lock_timeout=LONG, concurrent_lock_timeout=LONG, retries=0 if persistent else 12
    )
    name, mode = held(point)
    of = scene.cursor.script(point.step)
    with scene.cursor.copy() as dsn:
        hasty = hasty_in_deadlocks(dsn, LOOK_FOR_DEADLOCKS)
        with Rival(dsn) as rival:
            rival.lock(name, mode)
            with runners.start(
                scene.ground, scene.direction, hasty, plan, close=rival.sockets
            ) as runner:
                waiting = rival.until_blocking()
                building = of.kind == "concurrent" and name != CHECKPOINTS
                own = rival.locking(name, "share update exclusive")
                rival.ask(own if building else RUN_ROW)
                wait_until(rival.answered, LONG * 2, "the end of the deadlock", 0.002)
                rival.close()
                retry = None if persistent else first_retry(runner, point.step)
                ending = ended(runner)
        if not told_by(retry, ending, DEADLOCK_DETECTED):
            raise _Missed(f"no deadlock: {retry.message if retry else ending.error}")
        evidence = f"{waiting}; {retry.message if retry else ending.error}"
        if not persistent:
            return FaultOutcome(True, evidence, scene.ended(dsn, ending))
        state, judged = scene.judged(dsn)
        return FaultOutcome(True, evidence, named(ending, of, DEADLOCK_DETECTED) + judged, state)


def arm(collisions: Collisions, point: Point, times: int) -> None:
    """Let the write at a point collide."""
    if point.step == START:
        kinds = sql.SQL("new.kind in ('resumed', 'run_started')")
        collisions.arm(EVENTS, kinds, times)
    elif point.step == END:
        collisions.arm(RUN, sql.SQL("new.state = 'completed'"), times)
    else:
        here = sql.SQL("new.step = {} and new.state = {}")
        when = here.format(sql.Literal(point.step), sql.Literal(point.boundary))
        collisions.arm(CHECKPOINTS, when, times)


def serialization(scene: Scene, point: Point, persistent: bool) -> FaultOutcome:
    """Let the checkpoint collide the first time, or every time."""
    plan = scene.ground.sweeping(retries=2 if persistent else 12)
    with scene.cursor.copy() as dsn:
        collisions = Collisions(dsn)
        arm(collisions, point, ALWAYS if persistent else 1)
        with runners.start(scene.ground, scene.direction, dsn, plan) as runner:
            retry = None if persistent else first_retry(runner, point.step)
            ending = ended(runner)
        collisions.remove()
        fired = told_by(retry, ending, SERIALIZATION_FAILURE)
        evidence = retry.message if retry else ending.error
        if not persistent:
            return FaultOutcome(fired, evidence, scene.ended(dsn, ending))
        state, judged = scene.judged(dsn)
        reasons = named(ending, _script(scene, point.step), SERIALIZATION_FAILURE)
        return FaultOutcome(fired, evidence, reasons + judged, state)


def serializations(scene: Scene, points: list[Point]) -> list[FaultOutcome] | None:
    """Let every checkpoint of one run collide once; None unless all of it went well.

    Only then does one run speak for all of the points; else each is struck alone.
    """
    with scene.cursor.copy() as dsn:
        collisions = Collisions(dsn)
        for point in points:
            arm(collisions, point, 1)
        with runners.start(scene.ground, scene.direction, dsn) as runner:
            ending = ended(runner)
            met = [
                e for e in runner.told if e.kind == "retry" and SERIALIZATION_FAILURE in e.message
            ]
        collisions.remove()
        if scene.ended(dsn, ending) or len(met) != len(points):
            return None
        wanted = sorted(point.step for point in points)
        if sorted(str(event.step) for event in met) != wanted:
            return None
        return [
            FaultOutcome(True, next(e.message for e in met if e.step == point.step))
            for point in points
        ]
