"""An exploration knows what was asked of it, and a part of one does not pass for the whole."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.crash.coverage import Coverage
from harness.crash.coverage_file import write
from harness.crash.golden_note import Note
from harness.crash.model import DIRECTIONS, NOWHERE, Point, Task
from harness.crash.registry import DOMAINS
from harness.crash.request import NO_PLACE, NOTHING, CrashRequest, Enumeration, Place, incomplete
from harness.crash.summary import words
from tests.harness.support.crash_ledger import (
    REPLAY,
    STEPS,
    document_of,
    failed,
    page_of,
    passed,
    point,
)
from tests.harness.support.report import built, crash

EVERYWHERE = tuple(point(domain=domain, direction=way) for domain in DOMAINS for way in DIRECTIONS)
"""A plan so small that each domain finds one point in each direction."""
ANYTHING = CrashRequest()


def explored(
    *left_out: Point, asked: CrashRequest = ANYTHING, struck: tuple[Point, ...] | None = None
) -> Coverage:
    """An exploration that finds everywhere but what is left out, and strikes at all or a few."""
    found = tuple(at for at in EVERYWHERE if at not in left_out)
    chosen = found if struck is None else struck
    enumeration = Enumeration.of_tasks(asked, [Task("wire", found)])
    return Coverage(chosen, tuple(map(passed, chosen)), STEPS, enumeration)


def test_what_was_asked_for_and_found_is_a_pass():
    assert explored().verdict == "pass"


@pytest.mark.parametrize("empty", EVERYWHERE, ids=lambda at: f"{at.domain}-{at.direction}")
def test_a_domain_that_finds_nothing_in_a_direction_is_unknown(empty: Point):
    """Would pass if a ledger were held against its own points alone."""
    coverage = explored(empty)
    assert coverage.verdict == "unknown"
    (unknown,) = coverage.unknowns()
    assert (unknown.first.outcome, unknown.first.reason) == ("unknown", NOTHING)
    assert unknown.first.point == replace(empty, step=NOWHERE, boundary="none", fault="any")
    document = document_of(coverage)
    again = f"harness crash --domain {empty.domain} --direction {empty.direction} --rows"
    assert again in document.unknowns[0].replay
    assert document.domains[empty.domain].unknown == 1
    assert NOTHING in page_of(coverage)


def test_a_domain_that_could_not_look_is_unknown_and_says_why():
    found = [at for at in EVERYWHERE if at.domain != "pinned"]
    why: dict[Place, str] = {("pinned", way): "the server is gone" for way in DIRECTIONS}
    enumeration = Enumeration.of_tasks(ANYTHING, [Task("wire", tuple(found))], unlooked=why)
    coverage = Coverage(tuple(found), tuple(map(passed, found)), STEPS, enumeration)
    assert coverage.verdict == "unknown"
    assert {one.first.reason for one in coverage.unknowns()} == {"the server is gone"}


def test_what_a_plan_does_not_have_is_listed_and_holds_nothing_back():
    found = [at for at in EVERYWHERE if at.domain != "contended"]
    why: dict[Place, str] = {("contended", way): "nobody is in the way" for way in DIRECTIONS}
    enumeration = Enumeration.of_tasks(ANYTHING, [Task("wire", tuple(found))], absent=why)
    coverage = Coverage(tuple(found), tuple(map(passed, found)), STEPS, enumeration)
    document = document_of(coverage)
    assert document.verdict == "pass"
    assert incomplete(document) == ""
    assert [one.reason for one in document.not_applicable] == list(why.values())
    told = "\n".join(words(document))
    assert "not applicable: contended, forward: nobody is in the way" in told
    assert "nobody is in the way" in page_of(coverage)


def test_what_was_not_asked_for_need_not_be_found():
    asked = CrashRequest(domains=("wire",), directions=("forward",))
    left_out = [at for at in EVERYWHERE if (at.domain, at.direction) != ("wire", "forward")]
    assert explored(*left_out, asked=asked).verdict == "pass"


def test_a_sample_says_that_it_is_one_and_what_it_left_out():
    few = (*(at for at in EVERYWHERE if at.direction == "forward"), *EVERYWHERE[1:3])
    coverage = explored(asked=CrashRequest(points=len(few)), struck=few)
    document = document_of(coverage)
    assert document.asked.points == len(few)
    assert (document.verdict, document.points) == ("pass", len(few))
    left = document.sample.not_sampled
    there = len(EVERYWHERE)
    sample = document.sample
    assert (sample.struck, sample.of, sample.is_sample) == (len(few), there, True)
    assert len(left) == there - len(few)
    assert f"a sample: {len(few)} of {there} points" in words(document)[-1]
    page = page_of(coverage)
    assert f"A sample: {len(few)} of {there} points" in page
    assert "Every fault fired at every point" not in page
    shown = [each for each in left if each.direction in {at.direction for at in few}]
    assert page.count('<i title="not sampled: 1 points">') == len(shown)


def test_a_whole_exploration_says_that_nothing_is_left_out():
    document = document_of(explored())
    assert document.sample.is_sample is False
    assert "sample" not in words(document)[-1]
    page = page_of(explored())
    assert "Every fault fired at every point" in page
    assert "<i title=" not in page


@pytest.mark.parametrize(
    ("asked", "left_out"),
    [
        (CrashRequest(points=7), [at for at in EVERYWHERE if at.domain == "wal"]),
        (CrashRequest(points=12), [at for at in EVERYWHERE if at.direction == "rollback"]),
    ],
    ids=["a domain", "a direction"],
)
def test_a_sample_that_took_none_of_what_was_asked_for_is_unknown(
    asked: CrashRequest, left_out: list[Point]
):
    """A pass with no point of the log was had by `--domain wire,wal --points 150`."""
    coverage = explored(asked=asked, struck=tuple(at for at in EVERYWHERE if at not in left_out))
    assert coverage.verdict == "unknown"
    (unknown,) = coverage.unknowns()
    told = unknown.first
    assert f"the sample took none of the {len(left_out)} points; ask for more" in told.reason
    assert (told.point.domain, told.point.direction) in {(p.domain, p.direction) for p in left_out}


@pytest.mark.parametrize("faults", [("cut", "blip"), ("cut",)], ids=len)
def test_a_fault_that_was_asked_for_and_not_struck_is_unknown(faults: tuple[str, ...]):
    coverage = explored(asked=CrashRequest(faults=faults))
    assert coverage.verdict == ("unknown" if "blip" in faults else "pass")
    told = [(one.first.point.fault, one.first.reason) for one in coverage.unknowns()]
    assert told == ([("blip", NO_PLACE)] if "blip" in faults else [])


def test_a_fault_that_needs_another_kind_of_step_is_not_applicable_and_listed():
    why = {("contended", "blip"): "no step of the plan is of kind batch"}
    asked = CrashRequest(faults=("cut", "blip"))
    enumeration = Enumeration.of_tasks(asked, [Task("wire", EVERYWHERE)], faultless=why)  # type: ignore[arg-type]  # of no domain but this
    coverage = Coverage(EVERYWHERE, tuple(map(passed, EVERYWHERE)), STEPS, enumeration)
    assert coverage.verdict == "pass"
    told = "\n".join(words(document_of(coverage)))
    assert "not applicable: contended blip, any: no step of the plan is of kind batch" in told


SAME_CAUSE = "after rollback data: table public.t: other values in a"


def test_what_has_one_cause_is_told_once_whatever_struck_it():
    """30 points of one broken rollback were 30 failures: 12 domains and faults, one reason."""
    places = [(STEPS[n % 2], fault) for n, fault in enumerate(("cut", "unheard", "sigkill"))]
    points = [point(step, fault=fault) for step, fault in places]
    other = point(STEPS[2])
    rows = (*(failed(at, SAME_CAUSE) for at in points), failed(other, "an index is invalid"))
    files = {("forward", STEPS[0]): "phases/1.1_x/020_second.forward.sql"}
    coverage = Coverage((*points, other), rows, STEPS, files=files)
    document = document_of(coverage)
    assert len(document.failures) == 4
    first, second = document.causes
    assert (first.reason, first.points, first.steps) == (SAME_CAUSE, 3, 2)
    assert first.faults == ["cut", "sigkill", "unheard"]
    assert first.file == "phases/1.1_x/020_second.forward.sql"
    assert second.points == 1
    told = "\n".join(words(document))
    assert told.count(SAME_CAUSE) == 1
    assert told.count("--replay") == 2
    assert "3 points" in told


def test_what_undisturbed_runs_show_is_told_first_and_fails_the_whole():
    note = Note("back", "failed", "rollback", STEPS[1], "it does not undo this step", "b.sql")
    info = replace(note, outcome="info", step=STEPS[0], reason="irreversible, as declared")
    coverage = replace(explored(), notes=(info, note))
    document = document_of(coverage)
    assert document.verdict == "fail"
    assert [one.reason for one in document.notes] == [info.reason]
    assert document.causes[0].reason == document.failures[0].reason == note.reason
    told = words(document)
    assert info.reason in told[0]
    assert note.reason in told[1]
    assert info.reason in page_of(coverage)
    assert replace(explored(), notes=(info,)).verdict == "pass"


def test_domains_and_directions_that_nobody_asked_for_are_named():
    asked = CrashRequest(domains=("wire",), directions=("forward",))
    struck = tuple(at for at in EVERYWHERE if (at.domain, at.direction) == ("wire", "forward"))
    document = document_of(explored(asked=asked, struck=struck))
    assert document.not_asked["domains"] == [name for name in DOMAINS if name != "wire"]
    assert "domains not asked for: wal, pinned" in "\n".join(words(document))


PARTIAL: dict[str, tuple[Coverage, str]] = {
    "one domain": (explored(asked=CrashRequest(domains=("wire",))), "asked for domains"),
    "one direction": (
        explored(asked=CrashRequest(directions=("forward",))),
        "asked for directions",
    ),
    "some faults": (explored(asked=CrashRequest(faults=("cut",))), "asked for faults"),
    "a sample": (explored(asked=CrashRequest(points=12)), "asked for points 12"),
    "a replay": (explored(asked=CrashRequest(replay="a point")), "asked for replay"),
    "fewer points than there are": (explored(struck=EVERYWHERE[:-1]), "17 of 18 points"),
    "a ledger that does not say": (replace(explored(), enumeration=None), "asked for domains"),
}


@pytest.mark.parametrize(("coverage", "reason"), PARTIAL.values(), ids=PARTIAL)
def test_an_exploration_of_a_part_says_which(coverage: Coverage, reason: str):
    assert coverage.verdict == "pass"
    assert reason in incomplete(document_of(coverage))


def test_only_an_exploration_of_everything_is_whole():
    assert incomplete(document_of(explored())) == ""
    hollow = msgspec.structs.replace(document_of(explored()), enumerated={})
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
    """The page of a gate, whose sample had 3 points, beside an exploration that was made before."""
    document = coverage.document(REPLAY, STOOD_ON | environment)
    write(document, build / "crash.json")
    sample = {f"crash.{way}": crash(way) | {"environment": STOOD_ON} for way in DIRECTIONS}
    return (built(build, sample) / "report" / "index.html").read_text("utf-8")


def test_the_page_of_a_gate_shows_the_whole_exploration_of_what_was_judged(tmp_path: Path):
    assert "18 points, 18 fired" in gate_page(tmp_path, explored(), workers=5)


def test_the_page_of_a_gate_shows_that_the_whole_exploration_failed(tmp_path: Path):
    coverage = replace(explored(), rows=())
    assert "18 points, 0 fired" in gate_page(tmp_path, coverage)


@pytest.mark.parametrize("coverage", [each for each, _ in PARTIAL.values()], ids=PARTIAL)
def test_a_part_of_an_exploration_does_not_stand_in_for_the_sample(
    tmp_path: Path, coverage: Coverage
):
    """Would be shown if it were enough to be larger."""
    assert len(coverage.rows) > 3
    assert "3 points, 3 fired" in gate_page(tmp_path, coverage)


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
    assert "3 points, 3 fired" in gate_page(tmp_path, explored(), **other)
