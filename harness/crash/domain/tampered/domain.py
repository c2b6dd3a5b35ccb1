"""Tampered: between two runs somebody changes the ledger, the plan or the database itself.

The next run refuses by name and changes nothing, or what was done was harmless and it ends golden.
Undone, the migration goes on as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.direction import STEP_DIRECTIONS, Direction
from harness.crash.domain.tampered import intrusion, ledger, owner, plan, role
from harness.crash.domain.tampered.placement import PlacedDatabase, StepPlace, places, stand
from harness.crash.model import START, CoverageRow, Domain, Point, Task
from harness.crash.run.cursor import RunCursor, Scene, along
from harness.crash.run.lock_needs import look
from harness.crash.run.outcome import FaultOutcome, row_of
from harness.crash.setup import LEDGER, Setup
from harness.crash.state import Oracle
from harness.database import admin

if TYPE_CHECKING:
    from harness.server import Server

NO_OWNER = "owner"  # stands for all privileges where only a superuser can run the plan
SECONDS = 0.8  # that a point takes, about
AT_ONCE = 16  # copies that wait for one restart: each takes its room on disk
Strikes = Callable[[Point], Callable[[], FaultOutcome]]
FAULTS = (
    *(f"{table}.COLUMN" for table in ledger.ROWS),
    *(f"bit.{mode}.N" for mode in ledger.BITS),
    *plan.CHANGES,
    *intrusion.FAULTS,
    *role.FAULTS,
)
"""Their names; COLUMN and N stand for what is found by looking."""


def tasks(ground: Setup) -> list[Task]:
    """Every column, file, object and privilege that can be tampered with, found by looking."""
    found = []
    server = ground.server("fast")
    try:
        for direction in filter(ground.goes, STEP_DIRECTIONS):
            groups = _groups(ground, server.dsn(), direction)
            found += [Task("tampered", tuple(some), SECONDS * len(some)) for some in groups if some]
    finally:
        server.close()
    return found


def _groups(ground: Setup, server_dsn: str, direction: Direction) -> Iterator[list[Point]]:
    """Points that go together into a task."""

    def point(step: str, boundary: str, fault: str) -> Point:
        return Point("tampered", direction, step, boundary, fault)

    spare = RunCursor.begun(ground, server_dsn, direction)
    with spare.copy() as dsn:
        golden = replace(spare, dsn=dsn)
        at = places(spare, look(golden))
    columns = [
        point(p.step, p.boundary, fault)
        for p in at
        for fault in ledger.faults(spare.dsn, p.boundary)
    ]
    yield columns
    bits = [f"bit.{mode}.{n}" for mode, count in ledger.BITS.items() for n in range(count)]
    between = next(place for place in at if place.boundary == "between")
    edits = plan.changes(spare, between)
    yield [
        *(point(between.step, between.boundary, fault) for fault in bits),
        *(point(between.step, plan.boundary(one), one.fault) for one in edits),
    ]
    changed = []
    for step in spare.steps:
        spare.to(step)
        found = intrusion.possible(spare, step, spare.dsn)
        changed += [point(step, one.boundary, one.fault) for one in found]
    admin.drop(server_dsn, admin.dbname(spare.dsn))
    its = owner.owned(ground, server_dsn, direction)
    unknown = [(START, NO_OWNER, role.REVOKED)]
    yield changed + [point(*it) for it in (role.faults(its.scene.cursor) if its else unknown)]


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Tamper at every point of a task, each with a copy of its own."""
    rows: list[CoverageRow] = []
    for direction in STEP_DIRECTIONS:
        points = [point for point in task.points if point.direction == direction]
        if points:
            server = ground.server("fast")
            try:
                rows += _direction(ground, server, direction, points)
            finally:
                server.close()
    return rows


def _direction(
    ground: Setup, server: Server, direction: Direction, points: list[Point]
) -> Iterator[CoverageRow]:
    """Rights come after the rest, in a walk of their own; bits last, for the server restarts."""
    rights = [point for point in points if point.fault in role.FAULTS]
    bits = [point for point in points if point.fault.startswith("bit.")]
    rest = [point for point in points if point not in rights and point not in bits]
    if rest or bits:
        yield from _walked(ground, server, direction, rest, bits)
    if rights and rights[0].boundary == NO_OWNER:
        reason = "no role but a superuser can run the plan here: what it may lose was not taken"
        yield from (CoverageRow(point, False, "unknown", reason=reason) for point in rights)
    elif rights:
        yield from _revoked(ground, server.dsn(), direction, rights)


def _walked(
    ground: Setup,
    server: Server,
    direction: Direction,
    points: list[Point],
    bits: list[Point],
) -> Iterator[CoverageRow]:
    cursor = RunCursor.begun(ground, server.dsn(), direction)
    scene = Scene(ground, cursor, Oracle(ground, server.dsn()))
    ordered = along(cursor, tuple(points))
    while ordered:
        place = _place(ordered[0])
        here = [point for point in ordered if _place(point) == place]
        ordered = [point for point in ordered if point not in here]
        if place.boundary == "world":
            cursor.to(place.step)
            yield from _rows(here, lambda point: lambda: intrusion.strike(scene, point))
        else:
            with stand(scene, place) as where:
                yield from _rows(here, lambda point: lambda: _stood(where, point))
    if bits:
        yield from _bits(scene, server, bits)


def _rows(points: Iterable[Point], strikes: Strikes) -> Iterator[CoverageRow]:
    for point in points:
        yield row_of(point, strikes(point))


def _stood(where: PlacedDatabase, point: Point) -> FaultOutcome:
    strike = plan.strike if _is_plan(point) else ledger.strike
    return strike(where, point)


def _is_plan(point: Point) -> bool:
    return point.fault in plan.CHANGES


def _place(point: Point) -> StepPlace:
    """Where a point's database stands; files and objects are changed between steps."""
    if _is_plan(point):
        return StepPlace(point.step, "between")
    if point.fault in intrusion.FAULTS:
        return StepPlace(point.step, "world")
    return StepPlace(point.step, point.boundary)


def _bits(scene: Scene, server: Server, points: list[Point]) -> Iterator[CoverageRow]:
    """Flip bits in copies, so many at a restart; seen by the checksum, then by the seal alone."""
    with stand(scene, _place(points[0])) as where:
        kept, name = where.fingerprint, admin.unique_name("harness_bits")
        admin.create(server.dsn(), name, admin.dbname(where.dsn))
    for mode in ledger.BITS:
        some = [point for point in points if point.fault.startswith(f"bit.{mode}.")]
        for first in range(0, len(some), AT_ONCE):
            chosen = some[first : first + AT_ONCE]
            struck = ledger.bits(scene.ground, server, name, chosen, kept)
            yield from _rows(chosen, lambda point: lambda: struck[point])  # noqa: B023


def _revoked(
    ground: Setup, server_dsn: str, direction: Direction, points: list[Point]
) -> Iterator[CoverageRow]:
    spare = ground.furnish(server_dsn, admin.unique_name("harness_roles"))  # makes the roles
    admin.drop(server_dsn, admin.dbname(spare))
    its = owner.owned(ground, server_dsn, direction)
    assert its is not None, "the plan allowed it when it was looked at"
    cursor = its.scene.cursor
    before = [_before(cursor, point) for point in points]
    order = along(cursor, tuple({at for _, at in before}))
    for at in order:
        cursor.to(at.step)
        here = [point for point, where in before if where == at]
        yield from _rows(here, lambda point: lambda: role.strike(its, point))


def _before(cursor: RunCursor, point: Point) -> tuple[Point, Point]:
    """A point, and one at the step to walk to: the one before, when the runner must be running."""
    place = cursor.steps.index(point.step)
    step = cursor.steps[place - 1] if point.boundary == "running" else point.step
    return point, Point(point.domain, point.direction, step, "between", point.fault)


TAMPERED = Domain("tampered", FAULTS, tasks, run, needs=LEDGER)
