"""The coverage ledger passes only what was struck and judged."""

import re
from dataclasses import replace

import pytest

from harness.crash.coverage import Coverage
from harness.crash.model import END, START, CoverageRow, Point
from harness.crash.replay import PointReplay
from tests.harness.support.crash_ledger import (
    ALL,
    GOOD,
    REPLAY,
    STEPS,
    WHOLE,
    failed,
    passed,
    point,
    unknown,
)


def test_every_point_struck_and_passed_is_a_pass():
    assert WHOLE.verdict == "pass"
    assert WHOLE.failures() == []
    assert WHOLE.unknowns() == []


SPOILERS: dict[str, tuple[Coverage, str]] = {
    "a failed row": (replace(WHOLE, rows=(*GOOD[1:], failed(ALL[0]))), "failed"),
    "a row that did not fire": (
        replace(WHOLE, rows=(*GOOD[1:], passed(ALL[0], fired=False, verdict="fail"))),
        "not fired",
    ),
    "a pass that did not fire": (
        replace(WHOLE, rows=(*GOOD[1:], passed(ALL[0], fired=False))),
        "not fired",
    ),
    "a skipped point": (
        replace(WHOLE, rows=(*GOOD[1:], replace(unknown(ALL[0]), fired=False))),
        "not fired",
    ),
    "a missing row": (replace(WHOLE, rows=GOOD[1:]), "missing"),
    "a doubled row": (replace(WHOLE, rows=(*GOOD, GOOD[0])), "doubled"),
    "a row that nothing expected": (replace(WHOLE, expected=ALL[1:]), "unexpected"),
    "a point enumerated twice": (replace(WHOLE, expected=(*ALL, ALL[0])), "doubled"),
}


@pytest.mark.parametrize(("coverage", "outcome"), SPOILERS.values(), ids=SPOILERS)
def test_one_spoiler_fails_the_whole_and_is_named(coverage: Coverage, outcome: str):
    assert coverage.verdict == "fail"
    (failure,) = coverage.failures()
    assert (failure.first.point, failure.first.outcome, failure.others) == (ALL[0], outcome, 0)
    assert failure.first.reason
    assert coverage.count().failed == 1


def test_a_point_that_could_not_be_judged_makes_the_whole_unknown():
    coverage = replace(WHOLE, rows=(unknown(ALL[0]), *GOOD[1:]))
    assert coverage.verdict == "unknown"
    assert coverage.failures() == []
    assert [one.first.point for one in coverage.unknowns()] == [ALL[0]]


def test_a_failure_outweighs_what_is_unknown():
    rows = (unknown(ALL[0]), failed(ALL[1]), *GOOD[2:])
    assert replace(WHOLE, rows=rows).verdict == "fail"


def test_nothing_explored_is_unknown_never_a_pass():
    assert Coverage((), (), STEPS).verdict == "unknown"


def test_the_earliest_point_stands_for_those_that_fail_alike():
    """Not the first row that came, nor the first by name: the one that the run meets first."""
    late = failed(point(STEPS[2], "m10"), "10 rows are lost in 1.2/010_last")
    early = failed(point(STEPS[0], "m09"), "9 rows are lost in 1.1/020_second")
    other = failed(point(STEPS[1], "m01"), "an index is invalid")
    rows = (late, other, early)
    points = tuple(row.point for row in (early, other, late))
    failures = Coverage(points, rows, STEPS).failures()
    assert [(one.first.point, one.others, one.steps) for one in failures] == [
        (early.point, 1, 2),
        (other.point, 0, 1),
    ]


def test_a_rollback_meets_the_last_step_first():
    points = tuple(point(step, direction="rollback") for step in (STEPS[0], END, STEPS[2], START))
    entries = Coverage(points, tuple(map(failed, points)), STEPS).entries
    assert [entry.point.step for entry in entries] == [START, STEPS[2], STEPS[0], END]


def test_points_of_a_step_stand_in_the_order_in_which_they_were_enumerated():
    """By name `after` would come before `before`."""
    points = (point(boundary="before-commit"), point(boundary="after-commit"))
    coverage = Coverage(points, tuple(failed(at) for at in reversed(points)), STEPS)
    assert coverage.failures()[0].first.point.boundary == "before-commit"
    turned = replace(coverage, expected=points[::-1])
    assert turned.failures()[0].first.point.boundary == "after-commit"


def test_numbers_sort_as_numbers_among_points_that_nothing_expected():
    rows = tuple(failed(point(boundary=name)) for name in ("m10", "m9"))
    entries = Coverage((), rows, STEPS).entries
    assert [entry.point.boundary for entry in entries] == ["m9", "m10"]


@pytest.mark.parametrize(
    "other",
    [
        failed(point(boundary="m02", fault="sigkill")),
        failed(point(boundary="m02", direction="rollback")),
        failed(point(boundary="m02", domain="pinned")),
        failed(point(boundary="m02"), "the lock is still held"),
        failed(point(boundary="m02"), fired=False),
    ],
    ids=["fault", "direction", "domain", "reason", "did not fire"],
)
def test_failures_that_are_not_alike_are_kept_apart(other: CoverageRow):
    first = failed(point())
    expected = (first.point, other.point)
    assert len(Coverage(expected, (first, other), STEPS).failures()) == 2
    alike = failed(point(boundary="m02"))
    assert len(Coverage((first.point, alike.point), (first, alike), STEPS).failures()) == 1


def test_the_replay_line_names_the_point_and_the_ground():
    assert REPLAY.line(point(START)) == (
        "harness crash --replay 'wire:forward:(start):m01:cut' --rows 1000 --seed 1"
    )
    other = PointReplay(rows=0, seed=7, plan="my plans/plan.toml").line(point())
    assert other.endswith("--rows 0 --seed 7 --plan 'my plans/plan.toml'")
    assert Point.parse(re.findall("'(.*)'", REPLAY.line(point()))[0]) == point()
    elsewhere = PointReplay(rows=0, seed=7, server="system", pg_version=15).line(point())
    assert elsewhere.endswith("--rows 0 --seed 7 --server system --pg-version 15")


def test_domains_are_counted_apart():
    pinned = point(domain="pinned")
    rows = (*GOOD, passed(pinned, state="another", seconds=2.0))
    counts = Coverage((*ALL, pinned), rows, STEPS).domains()
    assert list(counts) == ["wire", "pinned"]
    assert (counts["pinned"].points, counts["pinned"].fired, counts["pinned"].states) == (1, 1, 1)
    assert counts["pinned"].points_per_second == 0.5
    assert counts["wire"].points == len(ALL)
    assert counts["wire"].states == 2  # the same words, once for each direction


def test_a_missing_point_counts_as_a_point_and_not_as_fired():
    count = replace(WHOLE, rows=GOOD[1:]).count()
    assert (count.points, count.fired, count.failed) == (len(ALL), len(ALL) - 1, 1)


def test_the_clock_of_the_caller_wins_over_the_sum_of_the_rows():
    assert WHOLE.count().seconds == 0.5 * len(ALL)
    assert WHOLE.count(4.0).points_per_second == len(ALL) / 4
    wire = sum(point.domain == "wire" for point in ALL)
    assert WHOLE.domains()["wire"].seconds == 0.5 * wire  # domains are explored side by side
    assert WHOLE.count(0.0).points_per_second is None
