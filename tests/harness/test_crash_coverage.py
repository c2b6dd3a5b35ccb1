"""The coverage ledger passes only what was struck and judged, and its page shows what was not."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_support import built, crash

from harness.errors import UsageError
from harness.report import crash_page
from harness.scenario.crash.asked import NOTHING, Asked, Enumeration, incomplete
from harness.scenario.crash.coverage import SCHEMA_VERSION, Coverage, Replay
from harness.scenario.crash.coverage_file import read, write
from harness.scenario.crash.explore import words
from harness.scenario.crash.model import (
    DIRECTIONS,
    DOMAINS,
    END,
    NOWHERE,
    START,
    Direction,
    DomainName,
    Point,
    Row,
    Task,
)

STEPS = ("1.1/020_second", "1.1/030_first_by_name", "1.2/010_last")
REPLAY = Replay(rows=1000, seed=1)


def point(
    step: str = STEPS[0],
    boundary: str = "m01",
    fault: str = "cut",
    direction: Direction = "forward",
    domain: DomainName = "wire",
) -> Point:
    return Point(domain, direction, step, boundary, fault)


def passed(at: Point, **changes: Any) -> Row:
    return replace(Row(at, fired=True, verdict="pass", state="half done", seconds=0.5), **changes)


def failed(at: Point, reason: str = "a row is lost", **changes: Any) -> Row:
    return passed(at, verdict="fail", reason=reason, **changes)


def unknown(at: Point, reason: str = "the server did not answer") -> Row:
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


def document_of(coverage: Coverage, **changes: Any) -> dict[str, Any]:
    return coverage.document(REPLAY, {"server": "embedded"}, **changes)


def page_of(coverage: Coverage) -> str:
    return crash_page.html(document_of(coverage))


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
def test_failures_that_are_not_alike_are_kept_apart(other: Row):
    first = failed(point())
    expected = (first.point, other.point)
    assert len(Coverage(expected, (first, other), STEPS).failures()) == 2
    alike = failed(point(boundary="m02"))
    assert len(Coverage((first.point, alike.point), (first, alike), STEPS).failures()) == 1


def test_the_replay_line_names_the_point_and_the_ground():
    assert REPLAY.line(point(START)) == (
        "harness crash --replay 'wire:forward:(start):m01:cut' --rows 1000 --seed 1"
    )
    other = Replay(rows=0, seed=7, plan="my plans/plan.toml").line(point())
    assert other.endswith("--rows 0 --seed 7 --plan 'my plans/plan.toml'")
    assert Point.parse(re.findall("'(.*)'", REPLAY.line(point()))[0]) == point()
    elsewhere = Replay(rows=0, seed=7, server="system", pg_version=15).line(point())
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


def test_the_document_is_read_back_as_it_was_written(tmp_path: Path):
    document = document_of(SPOILERS["a missing row"][0], seconds=12.5)
    write(document, tmp_path / "build" / "crash.json")
    found = read(tmp_path / "build" / "crash.json")
    assert found == json.loads(json.dumps(document))
    assert found["verdict"] == "fail"
    assert found["missing"][0]["id"] == ALL[0].id
    assert found["failures"][0]["replay"] == REPLAY.line(ALL[0])
    assert found["steps"] == [START, *STEPS, END]
    assert len(found["rows"]) == len(ALL) - 1
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["crash.json"]


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(key)


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another version": (lambda d: d.update(schema_version=99), f"99.* reads {SCHEMA_VERSION}"),
    "no version": (without("schema_version"), "no schema_version"),
    "no rows": (without("rows"), "rows is missing"),
    "no verdict": (without("verdict"), "verdict is missing"),
    "points in words": (lambda d: d.update(points="many"), "points is missing or not"),
    "a row without its point": (lambda d: d["rows"][3].pop("id"), r"rows\[3\] lacks"),
    "nothing of what was asked": (without("asked"), "asked is missing"),
    "nothing of what there was": (without("enumerated"), "enumerated is missing"),
    "a count that is none": (lambda d: d.update(enumerated={"wire": 7}), "enumerated is no number"),
    "no steps": (lambda d: d.update(steps=[]), "steps does not"),
    "a pass over a failure": (lambda d: d["rows"][0].update(outcome="failed"), "not all .* passed"),
}


@pytest.mark.parametrize(("spoil", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_document_is_refused_with_file_and_reason(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], reason: str
):
    path = tmp_path / "crash.json"
    document = document_of(WHOLE)
    write(document, path)
    assert read(path)["verdict"] == "pass"
    spoil(document)
    write(document, path)
    with pytest.raises(UsageError, match=reason) as caught:
        read(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read"),
        (b"GO", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "no schema_version"),
    ],
    ids=["no file", "no JSON", "no text", "no object"],
)
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, content: bytes | None, reason: str):
    path = tmp_path / "crash.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=reason) as caught:
        read(path)
    assert caught.value.where == str(path)


MIXED = Coverage(
    (*ALL, point("1.9/010_of_another_plan")),
    (
        failed(ALL[0], "lost <script>alert(1)</script> & more", evidence="<b>seen</b>"),
        failed(ALL[1], "9 rows are lost"),
        failed(ALL[2], "8 rows are lost"),
        unknown(ALL[3]),
        passed(ALL[4], fired=False, verdict="fail"),
        *GOOD[6:],
    ),
    STEPS,
)


def test_the_page_shows_the_replay_line_of_every_point_that_did_not_pass():
    page = page_of(MIXED)
    bad = [entry.point for entry in MIXED.entries if entry.outcome != "passed"]
    assert len(bad) == 7
    for at in bad:
        assert f"--replay &#39;{at.id}&#39; --rows 1000" in page


def test_the_page_escapes_what_it_is_told():
    page = page_of(MIXED)
    assert "<script" not in page
    assert "<b>seen" not in page
    assert "lost &lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page


def test_the_page_needs_nothing_from_outside():
    page = page_of(MIXED)
    assert not re.findall(r"https?:|//[a-z]|src=|@import|url\(|<link|<script", page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert set(re.findall(r'href="(.)', page)) == {"#"}


def test_the_answer_comes_first():
    for coverage, word in ((WHOLE, "PASS"), (MIXED, "FAIL"), (Coverage((), ()), "UNKNOWN")):
        page = page_of(coverage)
        body = page[page.index("<body>") :]
        assert re.findall(r"\b(PASS|FAIL|UNKNOWN)\b", body) == [word]
        assert body.index(word) < body.index("<main>")
    assert "nothing is proved" in page_of(Coverage((), ()))
    assert "Failures" not in page_of(WHOLE)


def test_the_map_has_every_step_in_the_order_of_the_run_and_a_place_for_strangers():
    forward, rollback = crash_page.maps(document_of(MIXED))
    stranger = "1.9/010_of_another_plan"
    assert [line.step for line in forward.lines] == [START, *STEPS, END, stranger]
    assert [line.step for line in rollback.lines] == [START, *reversed(STEPS), END]
    assert forward.faults == ["cut", "sigkill"]
    assert forward.domains == [("wire", 2)]


def test_a_cell_shows_its_worst_end_and_counts_it():
    forward = crash_page.maps(document_of(MIXED))[0]
    shown = [
        [(cell.worst, cell.shown) if cell else None for cell in line.cells]
        for line in forward.lines
    ]
    assert shown[0] == [("failed", "2"), ("failed", "1/2")]
    assert shown[1] == [("missing", "1/2"), ("passed", "2")]
    assert shown[5] == [("missing", "1"), None]
    assert [line.clean for line in forward.lines] == [False, False, True, True, True, False]
    cell = forward.lines[0].cells[1]
    assert cell is not None
    assert cell.spoken == "1 failed, 1 unknown"


def test_a_cell_leads_to_its_points():
    page = page_of(MIXED)
    targets = re.findall(r'<a class="." href="#([fr][0-9]+-[0-9]+)"', page)
    assert len(targets) == len(set(targets)) == 21
    assert sorted(targets) == sorted(re.findall(r'class="sheet" id="([^"]+)"', page))


def many(verdict: Callable[[Point], Row]) -> Coverage:
    """As large as a whole exploration: 40 steps, 15 faults, both directions."""
    steps = tuple(f"1.{number // 20}/{number:03d}_step_with_a_name" for number in range(40))
    points = tuple(
        Point(DOMAINS[fault % 6], direction, step, f"m{number}", f"fault-{fault}")
        for direction in ("forward", "rollback")
        for step in steps
        for fault in range(15)
        for number in range(4)
    )
    return Coverage(points, tuple(map(verdict, points)), steps)


def test_a_large_page_stays_small_and_keeps_every_replay_line(tmp_path: Path):
    """The worst there can be: every point fails, each with long texts of its own."""
    letters = str.maketrans("0123456789", "abcdefghij")  # numbers alone would make them alike

    def wordy(at: Point) -> Row:
        text = f"{at.boundary} {at.step} {at.fault} ".translate(letters) * 12
        return failed(at, text, evidence=text)

    coverage = many(wordy)
    document = document_of(coverage)
    assert len(crash_page.html(document).encode()) > crash_page.LARGEST  # were nothing cut
    crash_page.render(document, tmp_path / "report" / "crash.html")
    page = (tmp_path / "report" / "crash.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= crash_page.LARGEST
    assert "to keep it small" in page
    lines = set(re.findall(r"--replay &#39;([^&]+)&#39;", page))
    assert lines == {at.id for at in coverage.expected}


def test_a_large_page_of_passes_is_shown_whole(tmp_path: Path):
    coverage = many(lambda at: passed(at, evidence=f"cut at {at.id}"))
    path = tmp_path / "crash.html"
    crash_page.render(document_of(coverage), path)
    page = path.read_text(encoding="utf-8")
    assert "to keep it small" not in page
    assert all(f"cut at {at.id}" in page for at in coverage.expected)


def test_a_page_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write") as caught:
        crash_page.render(document_of(WHOLE), tmp_path / "file" / "crash.html")
    assert caught.value.where == str(tmp_path / "file" / "crash.html")
