"""The pinned domain: a blocker holds the run at a precise moment, and there it is struck.

Moments: every wait of CREATE and DROP INDEX CONCURRENTLY, the lock that validating a constraint
waits for, and both sides of every commit record. Each is confirmed by the server before the strike.
For one index they come twice: once more while a run drops what an earlier strike left half built.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import psycopg

from harness.core.direction import STEP_DIRECTIONS, Direction
from harness.core.errors import HarnessError, InfrastructureError
from harness.crash.domain.pinned.half_built import half_built
from harness.crash.domain.pinned.moments import (
    AGAIN,
    OUTER,
    REBUILD,
    Commit,
    boundaries,
    rebuilt,
)
from harness.crash.domain.pinned.strike import ALONE, TOGETHER, HeldRun, crash, faults
from harness.crash.model import END, START, CoverageRow, Domain, Point, Task
from harness.crash.run.cursor import RunCursor, order
from harness.crash.setup import LEDGER, Setup
from harness.crash.state import Oracle
from harness.crash.tally import point_done
from harness.database import admin, template
from harness.fault import pin_standby, pins
from harness.fault.pins import PinMissed
from harness.server import Server

SECONDS = 0.35  # that a point takes, about
TASKS = 5  # for each direction: two workers end at about the same time
ERRORS = (PinMissed, HarnessError, psycopg.Error, OSError)
GROUP = 10  # victims of one crash of the server
TRIES = 5  # for a strike that lost a race with a backend that noticed a dead client


def tasks(ground: Setup) -> list[Task]:
    """Every moment of the plan, times its faults, in parts of either direction."""
    found: list[Task] = []
    for direction, commits in _recorded(ground).items():
        sites = [(step, list(_points(ground, direction, step, commits))) for step in
                 (START, *order(ground, direction), END)]  # fmt: skip
        found += _split([points for _, points in sites])
    return found


def _recorded(ground: Setup) -> dict[Direction, dict[str, list[Commit]]]:
    """The commits of every step, from runs that nothing disturbs."""
    server = ground.server()
    try:
        dsn = RunCursor.furnished(ground, server.dsn(), "forward").dsn
        found: dict[Direction, dict[str, list[Commit]]] = {}
        for direction in STEP_DIRECTIONS:
            if direction not in ground.directions and direction == "rollback":
                continue  # the walk back begins where the way forward ends: that one is walked
            cursor = RunCursor(ground.undisturbed(), server.dsn(), direction, dsn)
            cursor.begin()
            pins.record(dsn)
            cursor.to_end()
            commits: dict[str, list[Commit]] = {step: [commit] for step, commit in OUTER.items()}
            for step, state, batches in pins.recorded(dsn):
                commits.setdefault(step, []).append((state, batches))
            found[direction] = commits
            pins.remove(dsn)
        return found
    finally:
        server.close()


def _points(
    ground: Setup, direction: Direction, step: str, commits: dict[str, list[Commit]]
) -> Iterator[Point]:
    script = None if step in OUTER else ground.plan.step(step).script(direction)
    again = REBUILD if direction == "forward" and step == rebuilt(ground.plan) else ()
    for boundary in (*boundaries(script, commits.get(step, [])), *again):
        for fault in faults(boundary):
            yield Point("pinned", direction, step, boundary, fault)


def _split(sites: list[list[Point]]) -> list[Task]:
    """Cut a direction into about equal parts of whole steps, in the order of the run."""
    share = sum(map(len, sites)) / TASKS
    parts: list[list[Point]] = [[]]
    for points in sites:
        if len(parts[-1]) >= share:
            parts.append([])
        parts[-1] += points
    return [Task("pinned", tuple(part), SECONDS * len(part)) for part in parts if part]


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at each point on a server of the task's own; one row for each."""
    rows: list[CoverageRow] = []
    for direction in STEP_DIRECTIONS:
        points = [point for point in task.points if point.direction == direction]
        if points:
            server = ground.server()
            try:
                rows += _Exploration(ground, server, direction).explore(points)
            finally:
                server.close()
    return rows


@dataclass
class _Exploration:
    """One direction on one server: a database walked from step to step, and clones struck."""

    ground: Setup
    server: Server
    direction: Direction
    rows: list[CoverageRow] = field(default_factory=list)
    half: dict[str, str] = field(default_factory=dict)  # step -> a database, its index half built
    waiting: dict[str, list[HeldRun]] = field(
        default_factory=lambda: {name: [] for name in TOGETHER}
    )

    def explore(self, points: list[Point]) -> list[CoverageRow]:
        """Strike at every point and give a row for each.

        Raises InfrastructureError for a server that must not be killed.
        """
        if not (self.server.capabilities.can_kill and self.server.capabilities.local_files):
            raise InfrastructureError(
                "the pinned domain kills servers and their backends, and may not kill this one",
                hint="use the embedded or the system provider",
            )
        pin_standby.unacknowledged(self.server.dsn())
        self.oracle = Oracle(self.ground, self.server.dsn())
        self.cursor = RunCursor.furnished(self.ground, self.server.dsn(), self.direction)
        places = [START, *order(self.ground, self.direction), END]
        place = {step: number for number, step in enumerate(places)}
        for point in sorted(points, key=lambda point: place.get(point.step, len(places))):
            self._take(point)
        for fault in TOGETHER:
            self._crash(fault)
        return self.rows

    def _take(self, point: Point) -> None:
        """Strike now, or put by until enough are together for one crash."""
        if point.fault not in TOGETHER:
            self._note(point, lambda: self._alone(point))
            return
        self._note(point, lambda: self.waiting[point.fault].append(self._victim(point)))
        if len(self.waiting[point.fault]) >= GROUP:
            self._crash(point.fault)

    def _note(self, point: Point, act: Callable[[], CoverageRow | None]) -> bool:
        """Write down the row that `act` gives, or why it gave none; False when it failed."""
        began = time.monotonic()
        try:
            row = act()
        except ERRORS as error:
            failed = _failed(point, error)
            self.server.start()  # those that follow need it
        else:
            if row is not None:
                self.rows.append(replace(row, seconds=time.monotonic() - began))
                point_done()
            return True
        self.rows.append(replace(failed, seconds=time.monotonic() - began))
        return False

    def _victim(self, point: Point) -> HeldRun:
        steps = order(self.ground, self.direction)
        step = steps[-1] if point.step == END else point.step
        if step not in (START, *steps):
            raise PinMissed(f"the plan has no step {step!r}")
        if not point.boundary.startswith(AGAIN):
            if step != START:  # a run is begun by the runner that is struck
                self.cursor.to(step)
            return HeldRun(self.ground, self.server, point, self.cursor.clone())
        if step not in self.half:
            self.half[step] = half_built(self.ground, self.server, step, self.cursor)
        dsn = template.clone(self.server.dsn(), admin.dbname(self.half[step]))
        return HeldRun(self.ground, self.server, point, dsn, seen=["an index was left half built"])

    def _alone(self, point: Point) -> CoverageRow:
        for left in reversed(range(TRIES)):
            victim = self._victim(point)
            try:
                victim.arrange()
                victim.strike()
                return self._judged(victim)
            except PinMissed:
                if not left or point.fault != "kill-runner":
                    raise
            finally:
                victim.close()
        raise AssertionError("unreachable")

    def _crash(self, fault: str) -> None:
        """One crash of the server under all that wait for it; each is judged for itself."""
        victims, self.waiting[fault] = self.waiting[fault], []
        if not victims:
            return
        began, known = time.monotonic(), len(self.rows)
        try:
            with admin.connection(self.server.dsn()) as conn:
                conn.execute("CHECKPOINT")  # recovery reads only what the victims write
            standing = [one for one in victims if self._note(one.point, one.arrange)]
            if standing and self._brought_down(fault, standing):
                for victim in standing:
                    self._note(victim.point, partial(self._judged, victim))
        finally:
            for victim in victims:
                victim.close()
        share = (time.monotonic() - began) / len(victims)
        self.rows[known:] = [replace(row, seconds=share) for row in self.rows[known:]]

    def _brought_down(self, fault: str, standing: list[HeldRun]) -> bool:
        try:
            crash(self.server, fault, standing)
        except ERRORS as error:
            self.rows += [_failed(victim.point, error) for victim in standing]
            self.server.start()  # those that follow need it
            return False
        return True

    def _judged(self, victim: HeldRun) -> CoverageRow:
        return victim.finish(self.oracle, victim.let_go()).row(victim.point)


def _failed(point: Point, error: Exception) -> CoverageRow:
    """The row of a point that was not struck, or of which nothing is known."""
    if isinstance(error, PinMissed):
        return CoverageRow(point, False, "fail", reason=str(error))
    detail = str(error) if isinstance(error, HarnessError) else traceback.format_exc()
    return CoverageRow(point, False, "unknown", reason=detail)


PINNED = Domain("pinned", ALONE + TOGETHER, tasks, run, needs=LEDGER)
