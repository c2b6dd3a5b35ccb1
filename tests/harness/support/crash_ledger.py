"""A ledger of points struck and judged, whole or spoiled, for the tests of crash coverage."""

from dataclasses import replace
from typing import Any

from harness.core.direction import Direction
from harness.crash.coverage import Coverage
from harness.crash.model import END, START, CoverageRow, DomainName, Point
from harness.crash.replay import PointReplay
from harness.document.crash import CrashDocument
from harness.report import crash_page

STEPS = ("1.1/020_second", "1.1/030_first_by_name", "1.2/010_last")
REPLAY = PointReplay(rows=1000, seed=1)


def point(
    step: str = STEPS[0],
    boundary: str = "m01",
    fault: str = "cut",
    direction: Direction = "forward",
    domain: DomainName = "wire",
) -> Point:
    return Point(domain, direction, step, boundary, fault)


def passed(at: Point, **changes: Any) -> CoverageRow:
    return replace(
        CoverageRow(at, fired=True, verdict="pass", state="half done", seconds=0.5), **changes
    )


def failed(at: Point, reason: str = "a row is lost", **changes: Any) -> CoverageRow:
    return passed(at, verdict="fail", reason=reason, **changes)


def unknown(at: Point, reason: str = "the server did not answer") -> CoverageRow:
    return passed(at, verdict="unknown", reason=reason)


ALL = tuple(
    point(step, f"m{number:02d}", fault, direction)
    for direction in ("forward", "rollback")
    for step in (START, *STEPS, END)
    for fault in ("cut", "sigkill")
    for number in (1, 2)
)
GOOD = tuple(passed(at) for at in ALL)
WHOLE = Coverage(ALL, GOOD, STEPS)


def document_of(coverage: Coverage, **changes: Any) -> CrashDocument:
    return coverage.document(REPLAY, {"server": "embedded"}, **changes)


def page_of(coverage: Coverage) -> str:
    return crash_page.html(document_of(coverage))
