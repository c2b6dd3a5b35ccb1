"""The WAL domain: recover every state that a server crash could have left, and go on from each.

A crash of the server leaves a prefix of its log. Every prefix that ends at a commit record, or at
one of the records that count without a commit, is recovered as a copy and judged there. This sees
what no lost client can show: a statement that commits in its middle, left there for good.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import psycopg

from harness.core.direction import Direction
from harness.core.errors import HarnessError
from harness.crash.domain.wal.golden import DATABASE, FAULT, Golden, golden
from harness.crash.model import CoverageRow, Domain, Point, Task
from harness.crash.setup import Setup
from harness.crash.state import Oracle, identify
from harness.crash.tally import point_done
from harness.database import admin
from harness.fault import wal
from harness.fault.wal_records import Record, shown

COSTS: dict[Direction, float] = {"forward": 1.5, "rollback": 0.8, "cleanup": 0.8}
"""Seconds that a commit's state takes to be judged: most of them are new states."""
KNOWN = 0.4
"""Seconds that it takes to find that a state is known."""
GOLDEN = 3.0
"""Seconds that a task takes before its first point."""
LARGEST = 60.0
INVALID = (
    "select indexrelid::regclass::text from pg_catalog.pg_index"
    " where not (indisvalid and indisready and indislive) order by 1"
)


def tasks(ground: Setup) -> list[Task]:
    """Every durable state of a golden migration and of its rollback, neighbours together."""
    found = []
    for direction in filter(ground.goes, COSTS):
        with golden(ground, direction) as run_of_it:
            points = list(run_of_it.states)
        found += [Task("wal", part, GOLDEN + _seconds(part)) for part in _parts(points)]
    return found


def _parts(points: Sequence[Point]) -> Iterator[tuple[Point, ...]]:
    """Neighbours in parts of about equal cost: they share states, so no part is too small."""
    count = max(1, round(_seconds(points) / LARGEST))
    share, done = _seconds(points) / count, 0.0
    numbered = []
    for point in points:
        numbered.append((min(count - 1, int(done / share)), point))
        done += _seconds([point])
    for _, part in groupby(numbered, key=lambda pair: pair[0]):
        yield tuple(point for _, point in part)


def _seconds(points: Sequence[Point]) -> float:
    """What points will cost."""
    return sum(
        COSTS[point.direction] if point.boundary.startswith("commit") else KNOWN for point in points
    )


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Recover each state of a golden run of this task's own, and judge it."""
    rows = []
    for direction in COSTS:
        points = [point for point in task.points if point.direction == direction]
        if points:
            with golden(ground, direction) as found:
                rows += explore(ground, found, points)
    return rows


def explore(ground: Setup, found: Golden, points: Sequence[Point]) -> list[CoverageRow]:
    """One row for each point; states that are equal are judged once."""
    oracle = Oracle(ground, "")
    return [_timed(oracle, found, point) for point in points]


def _timed(oracle: Oracle, found: Golden, point: Point) -> CoverageRow:
    began = time.monotonic()
    record = found.states.get(point)
    if record is None:
        row = CoverageRow(
            point, False, "fail", reason="a second golden run does not come past this point"
        )
    else:
        try:
            row = _struck(oracle, found, point, record)
        except (HarnessError, TimeoutError, psycopg.Error) as error:
            row = CoverageRow(point, False, "unknown", reason=str(error).strip())
    point_done()
    return replace(row, seconds=time.monotonic() - began)


def _struck(oracle: Oracle, found: Golden, point: Point, record: Record) -> CoverageRow:
    """Recover to the end of a record, make sure that it was the last, and judge what is there."""
    with wal.recovered(found.server, found.base, record.end) as recovery:
        if recovery.redone != record.lsn:
            last = "nothing" if recovery.redone is None else shown(recovery.redone)
            reason = f"recovery was to end with {record}, and ended with {last}"
            return CoverageRow(point, False, "fail", reason=reason)
        dsn = recovery.server.dsn(DATABASE)
        evidence = "; ".join([f"redo done at {record}", *_invalid(dsn)])
        state = identify(oracle.ground, dsn)
        here = replace(oracle, server_dsn=recovery.server.dsn())  # the memory is shared
        judged = here.judge(point.direction, dsn, state)
        name = f"{state.key} {state.way}"
        return CoverageRow(point, True, judged.verdict, name, judged.reason, evidence)


def _invalid(dsn: str) -> list[str]:
    """The indexes that are half-built or half-dropped."""
    with admin.connection(dsn) as conn:
        return [f"invalid index {name}" for (name,) in conn.execute(INVALID)]


WAL = Domain("wal", (FAULT,), tasks, run, strikes_cleanup=True)
