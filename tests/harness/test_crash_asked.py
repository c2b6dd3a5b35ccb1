"""An exploration knows what was asked of it, and a part of one does not pass for the whole."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from crash_ledger import REPLAY, STEPS, document_of, page_of, passed, point
from report_support import built, crash

from harness.report import crash_page
from harness.scenario.crash.asked import NOTHING, Asked, Enumeration, incomplete
from harness.scenario.crash.coverage import Coverage
from harness.scenario.crash.coverage_file import write
from harness.scenario.crash.explore import words
from harness.scenario.crash.model import DIRECTIONS, DOMAINS, NOWHERE, Point, Task

EVERYWHERE = tuple(point(domain=domain, direction=way) for domain in DOMAINS for way in DIRECTIONS)
"""A plan so small that each domain finds one point in each direction."""
ANYTHING = Asked()


def explored(
    *left_out: Point, asked: Asked = ANYTHING, struck: tuple[Point, ...] | None = None
) -> Coverage:
    """An exploration that finds everywhere but what is left out, and strikes at all or a few."""
    found = tuple(at for at in EVERYWHERE if at not in left_out)
    chosen = found if struck is None else struck
    enumeration = Enumeration.of_tasks(asked, [Task("wire", found)])
    return Coverage(chosen, tuple(map(passed, chosen)), STEPS, enumeration)


def test_what_was_asked_for_and_found_is_a_pass():
    assert explored().verdict == "pass"


@pytest.mark.parametrize("empty", EVERYWHERE, ids=lambda at: f"{at.domain}-{at.direction}")
def test_a_domain_that_finds_nothing_in_a_direction_fails_the_whole(empty: Point):
    """Would pass if a ledger were held against its own points alone."""
    coverage = explored(empty)
    assert coverage.verdict == "fail"
    (failure,) = coverage.failures()
    assert (failure.first.outcome, failure.first.reason) == ("missing", NOTHING)
    assert failure.first.point == replace(empty, step=NOWHERE, boundary="none", fault="any")
    document = document_of(coverage)
    assert f"harness crash --domain {empty.domain} --rows" in document["failures"][0]["replay"]
    assert document["domains"][empty.domain]["failed"] == 1
    assert NOTHING in page_of(coverage)


def test_what_was_not_asked_for_need_not_be_found():
    asked = Asked(domains=("wire",), directions=("forward",))
    left_out = [at for at in EVERYWHERE if (at.domain, at.direction) != ("wire", "forward")]
    assert explored(*left_out, asked=asked).verdict == "pass"


def test_a_sample_says_what_was_asked_for_and_how_much_there_was():
    few = EVERYWHERE[:5]
    document = document_of(explored(asked=Asked(faults=("cut",), points=5), struck=few))
    assert document["asked"] == {
        "domains": list(DOMAINS),
        "directions": list(DIRECTIONS),
        "faults": ["cut"],
        "points": 5,
        "replay": None,
    }
    assert document["enumerated"] == {name: {"forward": 1, "rollback": 1} for name in DOMAINS}
    assert (document["verdict"], document["points"]) == ("pass", 5)
    assert "5 of 12 points" in words(document)[-1]
    assert "<dt>points</dt><dd>5 of 12</dd>" in crash_page.html(document)
    assert "<dt>points</dt><dd>12</dd>" in page_of(explored())


PARTIAL: dict[str, tuple[Coverage, str]] = {
    "one domain": (explored(asked=Asked(domains=("wire",))), "asked for domains"),
    "one direction": (explored(asked=Asked(directions=("forward",))), "asked for directions"),
    "some faults": (explored(asked=Asked(faults=("cut",))), "asked for faults"),
    "a sample": (explored(asked=Asked(points=12)), "asked for points 12"),
    "a replay": (explored(asked=Asked(replay="a point")), "asked for replay"),
    "fewer points than there are": (explored(struck=EVERYWHERE[:-1]), "11 of 12 points"),
    "a ledger that does not say": (replace(explored(), enumeration=None), "asked for domains"),
}


@pytest.mark.parametrize(("coverage", "reason"), PARTIAL.values(), ids=PARTIAL)
def test_an_exploration_of_a_part_says_which(coverage: Coverage, reason: str):
    assert coverage.verdict == "pass"
    assert reason in incomplete(document_of(coverage))


def test_only_an_exploration_of_everything_is_whole():
    assert incomplete(document_of(explored())) == ""
    hollow = document_of(explored()) | {"enumerated": {}}
    assert "nothing of wire, forward" in incomplete(hollow)


STOOD_ON = {
    "plan hash": "a" * 64,
    "tool hash": "c" * 64,
    "postgres": 18,
    "rows": 1000,
    "seed": 1,
    "workers": 2,
}


def gate_page(build: Path, coverage: Coverage, **environment: Any) -> str:
    """The page of a gate, whose sample had 2 points, beside an exploration that was made before."""
    document = coverage.document(REPLAY, STOOD_ON | environment)
    write(document, build / "crash.json")
    sample = {f"crash.{way}": crash(way) | {"environment": STOOD_ON} for way in DIRECTIONS}
    return (built(build, sample) / "report" / "index.html").read_text("utf-8")


def test_the_page_of_a_gate_shows_the_whole_exploration_of_what_was_judged(tmp_path: Path):
    assert "12 points, 12 fired" in gate_page(tmp_path, explored(), workers=5)


def test_the_page_of_a_gate_shows_that_the_whole_exploration_failed(tmp_path: Path):
    coverage = replace(explored(), rows=())
    assert "12 points, 0 fired" in gate_page(tmp_path, coverage)


@pytest.mark.parametrize("coverage", [each for each, _ in PARTIAL.values()], ids=PARTIAL)
def test_a_part_of_an_exploration_does_not_stand_in_for_the_sample(
    tmp_path: Path, coverage: Coverage
):
    """Would be shown if it were enough to be larger."""
    assert len(coverage.rows) > 2
    assert "2 points, 2 fired" in gate_page(tmp_path, coverage)


@pytest.mark.parametrize(
    "other",
    [
        {"plan hash": "b" * 64},
        {"tool hash": "b" * 64},
        {"postgres": 15},
        {"rows": 10},
        {"seed": 2},
        {"rows": None},
    ],
    ids=str,
)
def test_an_exploration_of_something_else_does_not_stand_in_for_the_sample(
    tmp_path: Path, other: dict[str, Any]
):
    assert "2 points, 2 fired" in gate_page(tmp_path, explored(), **other)
