"""The page of an exploration shows every point that did not pass, and how to strike it again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.crash.coverage import Coverage
from harness.crash.model import END, START, CoverageRow, Point
from harness.crash.registry import DOMAINS
from harness.report import crash_page
from tests.harness.support.crash_ledger import (
    ALL,
    GOOD,
    STEPS,
    WHOLE,
    document_of,
    failed,
    page_of,
    passed,
    point,
    unknown,
)

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


def many(verdict: Callable[[Point], CoverageRow]) -> Coverage:
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

    def wordy(at: Point) -> CoverageRow:
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
