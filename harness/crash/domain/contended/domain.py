"""Contended: other sessions hold what a run needs. It waits, tries again, or says what it lacked.

A transient fault is gone once the runner tries again, and the same runner must come to the golden
end. A persistent one stays until the runner gives up: it names file, line and SQLSTATE, and what it
leaves is judged like any crash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.core.direction import Direction
from harness.crash.domain.contended.batch import statement_timeout
from harness.crash.domain.contended.strike import (
    CHECKPOINTS,
    EVENTS,
    RUN,
    against,
    boundary,
    deadlock,
    lock_timeout,
    serialization,
    serializations,
)
from harness.crash.model import END, START, CoverageRow, Domain, Point, Task
from harness.crash.run.cursor import RunCursor, Scene, along
from harness.crash.run.lock_needs import Needs, look
from harness.crash.run.outcome import FaultOutcome, row_of
from harness.crash.setup import LEDGER, Setup
from harness.crash.state import Oracle
from harness.database import admin

WAYS: tuple[Direction, ...] = ("forward", "rollback")
PERSISTENT = "_persistent"
SECONDS = 0.7  # that a point takes, about
PARTS = 2  # tasks of a direction: each walks the whole way, so more of them cost more


class ContentionFault(Protocol):
    """A way of striking at a point, for a while or until the runner gives up."""

    def __call__(self, scene: Scene, point: Point, persistent: bool) -> FaultOutcome:
        """Strike a copy of the walk's database, which stands just before the point's step."""
        ...


STRIKES: dict[str, ContentionFault] = {
    "lock_timeout": lock_timeout,
    "deadlock": deadlock,
    "serialization": serialization,
    "statement_timeout": statement_timeout,
}
FAULTS = tuple(name + lasting for name in STRIKES for lasting in ("", PERSISTENT))


def tasks(ground: Setup) -> list[Task]:
    """Every lock and every checkpoint of a run in each direction, seen in a golden one."""
    found = []
    server = ground.server("fast")
    try:
        for direction in filter(ground.goes, WAYS):
            cursor = RunCursor.begun(ground, server.dsn(), direction)
            points = _points(cursor, look(cursor))
            admin.drop(server.dsn(), admin.dbname(cursor.dsn))
            found += _shared_out(cursor, points)
    finally:
        server.close()
    return found


def _points(cursor: RunCursor, needs: dict[str, Needs]) -> list[Point]:
    points: list[Point] = []
    kinds: set[str] = set()
    collided: set[tuple[str, str]] = set()

    def add(step: str, at: str, fault: str, *, persistent: bool = True) -> None:
        points.append(Point("contended", cursor.direction, step, at, fault))
        if persistent:
            points.append(Point("contended", cursor.direction, step, at, fault + PERSISTENT))

    add(START, boundary(EVENTS, "share"), "lock_timeout")
    add(START, "claim", "serialization")
    for step, need in needs.items():
        of = cursor.script(step)
        places = _places(need, of.kind == "concurrent")
        for number, place in enumerate(places):
            add(step, place, "lock_timeout", persistent=number == 0)
        add(step, places[0], "deadlock", persistent=of.kind not in kinds)
        kinds.add(of.kind)
        for state in need.states:
            add(step, state, "serialization", persistent=(of.kind, state) not in collided)
            collided.add((of.kind, state))
        if of.kind == "batch":
            for at in ("first", "middle")[: need.batches]:
                add(step, at, "statement_timeout")
    add(END, boundary(RUN, "access exclusive"), "lock_timeout")
    add(END, "complete", "serialization")
    return points


def _places(need: Needs, concurrent: bool) -> list[str]:
    """Where a rival can stand in a step's way; the first of them is what the step needs most."""
    if concurrent:
        table = next(iter(need.locks))
        modes = ("row exclusive", "share update exclusive")
        return [*(boundary(table, mode) for mode in modes), boundary(CHECKPOINTS, "share")]
    if not need.locks:
        return [boundary(CHECKPOINTS, "share")]
    return [against(name, lock) for name, lock in need.locks.items()]


def _shared_out(cursor: RunCursor, points: list[Point]) -> list[Task]:
    """Tasks of neighbouring steps, about equally large."""
    steps = [START, *cursor.steps, END]
    found: list[list[Point]] = [[] for _ in range(PARTS)]
    part = 0
    for step in steps:
        found[part] += [point for point in points if point.step == step]
        if sum(map(len, found)) >= len(points) * (part + 1) / PARTS and part < PARTS - 1:
            part += 1
    return [Task("contended", tuple(some), SECONDS * len(some)) for some in found if some]


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Walk from step to step, and strike at copies of what stands there."""
    rows: list[CoverageRow] = []
    server = ground.server("fast")
    try:
        for direction in WAYS:
            points = tuple(point for point in task.points if point.direction == direction)
            if points:
                rows += _direction(ground, server.dsn(), direction, points)
    finally:
        server.close()
    return rows


def _direction(
    ground: Setup, server_dsn: str, direction: Direction, points: tuple[Point, ...]
) -> list[CoverageRow]:
    cursor = RunCursor.begun(ground, server_dsn, direction)
    scene = Scene(ground, cursor, Oracle(ground, server_dsn))
    ordered = along(cursor, points)
    shared = [point for point in ordered if _is_shared(point)]
    together: dict[Point, FaultOutcome] = {}
    rows = []
    for point in ordered:
        cursor.to(point.step)
        if shared and point == shared[0]:
            together = _together(scene, shared)
        rows.append(row_of(point, _striking(scene, point, together)))
    return rows


def _is_shared(point: Point) -> bool:
    """Whether a point may be struck in the same run as others of its kind."""
    return point.fault == "serialization" and point.step not in (START, END)


def _together(scene: Scene, points: list[Point]) -> dict[Point, FaultOutcome]:
    struck = serializations(scene, points) if len(points) > 1 else None
    return dict(zip(points, struck, strict=True)) if struck else {}


def _striking(
    scene: Scene, point: Point, together: dict[Point, FaultOutcome]
) -> Callable[[], FaultOutcome]:
    if point in together:
        return lambda: together[point]
    fault = point.fault.removesuffix(PERSISTENT)
    return lambda: STRIKES[fault](scene, point, fault != point.fault)


CONTENDED = Domain(
    "contended",
    FAULTS,
    tasks,
    run,
    needs=LEDGER,
    kinds=dict.fromkeys(("statement_timeout", f"statement_timeout{PERSISTENT}"), "batch"),
)
