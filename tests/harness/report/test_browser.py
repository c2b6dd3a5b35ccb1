"""The pages in a real browser, as they are written: a bad verdict is seen before all else."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from harness.core.direction import Direction
from harness.core.finding import Finding
from harness.crash.coverage import Coverage
from harness.crash.model import CoverageRow, Point
from harness.crash.replay import PointReplay
from harness.report import crash_page
from harness.report.verdict import Suite
from tests.harness.support.report import FINDING, built
from tests.harness.support.server import require

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--allow-file-access-from-files",  # a frame's owner may look into it
    "--enable-logging=stderr",  # what the browser complains of: a style that the page's policy bars
)
PHONE, DESK = 390, 1280
FRAME = """<!doctype html><meta charset="utf-8"><title></title>
<iframe src="{address}" style="border:0;width:{width}px;height:844px"></iframe>
<script>onload = () => {{
  const page = document.querySelector("iframe").contentDocument;
  const all = (within, path) => [...within.querySelectorAll(path)];
  const text = one => one.innerText.replaceAll("\\u00a0", " ").trim();
  document.title = JSON.stringify({asked});
}}</script>"""
PICTURE = """<!doctype html><meta charset="utf-8"><title></title>
<img src="data:image/png;base64,{png}">
<script>onload = () => {{
  const image = document.querySelector("img"), canvas = document.createElement("canvas");
  const [width, height] = [canvas.width, canvas.height] = [image.width, image.height];
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const found = pen.getImageData(0, 0, width, height / 5).data, counts = {{}};
  for (let at = 0; at < found.length; at += 4) {{
    const colour = `rgb(${{found[at]}}, ${{found[at + 1]}}, ${{found[at + 2]}})`;
    counts[colour] = (counts[colour] || 0) + 1;
  }}
  document.title = JSON.stringify(counts);
}}</script>"""
ANSWER = """(h1 => {
  const box = h1.getBoundingClientRect();
  const seen = page.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return [text(h1), h1.contains(seen), getComputedStyle(h1).backgroundColor];
})(page.querySelector("h1"))"""
RED = "rgb(193, 31, 45)"

STEPS = ("1.1/010_first", "1.1/020_second")
LOST = "a row is lost"


def at(step: str, boundary: str, fault: str, direction: Direction = "forward") -> Point:
    return Point("wire", direction, step, boundary, fault)


def good(point: Point) -> CoverageRow:
    return CoverageRow(
        point, fired=True, verdict="pass", state="half done", evidence="cut", seconds=0.5
    )


FAILED = at(STEPS[0], "m01", "cut")
NOT_FIRED = at(STEPS[0], "m01", "sigkill")
MISSING = at(STEPS[1], "m01", "sigkill")
PASSED = (
    at(STEPS[0], "m02", "cut"),
    at(STEPS[1], "m01", "cut"),
    at(STEPS[1], "m02", "cut"),
    at(STEPS[0], "m01", "cut", "rollback"),
)
REPLAY = PointReplay(rows=1000, seed=1)


def browser(page: Path, *options: str) -> str:
    """What Chromium has on standard output once a page is loaded; it complained of nothing."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        require("browser", "no chromium and no google-chrome on PATH")
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as home:
        command = [str(program), *OPTIONS, f"--user-data-dir={home}", *options, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout


def answered(page: Path) -> Any:
    """What a page's script left in its title."""
    found = re.search(r"<title>(.+?)</title>", browser(page, "--dump-dom"), re.DOTALL)
    assert found, "the page has no answer"
    return json.loads(html.unescape(found[1]))


def framed(page: Path, width: int, asked: str = "null", part: str = "") -> Path:
    """A page that shows another, untouched and as wide as a screen, and asks something of it."""
    frame = page.with_name("frame.html")
    address = page.as_uri() + (f"#{part}" if part else "")
    frame.write_text(FRAME.format(address=address, width=width, asked=asked), "utf-8")
    return frame


def seen(page: Path, asked: str, width: int = PHONE, part: str = "") -> Any:
    return answered(framed(page, width, asked, part))


def no_go(build: Path) -> Path:
    """The report of a gate in which a suite failed and a check found something."""
    suites = [Suite("forward", passed=3), Suite("rollback", passed=8, failed=1)]
    warning = Finding(**FINDING | {"id": "quality.phone", "severity": "warning"})
    findings = [Finding(**FINDING), warning]
    return built(build, suites=suites, findings=findings) / "report" / "index.html"


def crash_map(directory: Path, reason: str = LOST) -> Path:
    """The page of an exploration with a point of every bad kind."""
    rows = (
        CoverageRow(
            FAILED, fired=True, verdict="fail", reason=reason, state="half done", evidence="seen"
        ),
        CoverageRow(NOT_FIRED, fired=False, verdict="pass"),
        *map(good, PASSED),
    )
    coverage = Coverage((FAILED, NOT_FIRED, MISSING, *PASSED), rows, STEPS)
    path = directory / "crash.html"
    crash_page.render(coverage.document(REPLAY, {"server": "embedded"}), path)
    return path


def test_a_no_go_is_the_first_thing_on_a_phone(tmp_path: Path):
    page = no_go(tmp_path)
    answer, text, title = seen(page, f"[{ANSWER}, text(page.body), page.title]")
    assert answer == ["✗ NO-GO", True, RED]
    order = ("NO-GO", "must not be run", "rollback: 1 of 9 failed", "critical findings", "Findings")
    assert sorted(order, key=text.index) == list(order)
    assert "NO-GO" in title


def test_a_no_go_shows_the_suite_that_failed(tmp_path: Path):
    rows = seen(no_go(tmp_path), 'all(page, "#suites tbody tr").map(text)', DESK)
    (failed,) = [row.split() for row in rows if "fail" in row]
    assert failed[:5] == ["rollback", "✗", "fail", "8", "1"]


def test_a_critical_finding_is_shown_with_its_evidence(tmp_path: Path):
    asked = """all(page, "#findings li").map(one =>
        [text(one.querySelector("h3")), text(one), one.querySelector("pre").checkVisibility()])"""
    critical, warning = seen(no_go(tmp_path), asked)
    assert critical[0] == "critical quality.website"
    for word in ("where", "message", "hint", "evidence"):
        assert FINDING[word] in critical[1]
    assert critical[2], "the evidence of the first critical finding lies open"
    assert not warning[2], "that of a warning opens at a click"


def test_a_crash_map_says_fail_and_how_to_see_it_again(tmp_path: Path):
    page = crash_map(tmp_path)
    answer, ways = seen(page, f'[{ANSWER}, all(page, "#failures .ways > li").map(text)]')
    assert answer == ["✗ FAIL", True, RED]
    first, second, third = ways
    for told, badge, point in (
        (first, "✗ failed", FAILED),
        (second, "⊘ not fired", NOT_FIRED),
        (third, "∅ missing", MISSING),
    ):
        assert told.startswith(f"{badge} {point.step} at {point.boundary}, wire {point.fault}")
        assert REPLAY.line(point) in told
    assert LOST in first
    assert "the fault did not fire" in second
    assert "it was never struck" in third


def test_a_crash_map_marks_each_cell_by_its_worst_end(tmp_path: Path):
    asked = """all(page, ".map").map(map =>
        all(map, "tr").slice(1).map(row => [...row.children].map(text)))"""
    forward, rollback = seen(crash_map(tmp_path), asked)
    assert forward == [
        ["step", "cut", "sigkill"],
        ["(start)", "·", "·"],
        [STEPS[0], "✗ 1/2", "⊘ 1"],
        [STEPS[1], "✓ 2", "∅ 1"],
        ["(end)", "·", "·"],
        ["points", "4", "2"],
    ]
    assert [STEPS[0], "✓ 1"] in rollback


def test_a_click_on_a_cell_shows_its_points(tmp_path: Path):
    page = crash_map(tmp_path)
    asked = 'all(page, ".sheet").filter(one => one.checkVisibility()).map(text)'
    unasked, cell = seen(page, f'[{asked}, page.querySelector(".map a.f").hash]')
    assert unasked == []
    (shown,) = seen(page, asked, part=cell.removeprefix("#"))
    for told in (f"{STEPS[0]}, wire cut", "✗ 1 failed", LOST, REPLAY.line(FAILED), "✓ 1 passed"):
        assert told in shown


def test_what_is_right_can_be_hidden_in_one_map_alone(tmp_path: Path):
    asked = """(page.querySelector("#only-forward").click(), all(page, ".map").map(map =>
        all(map, "tbody th").filter(one => one.checkVisibility()).map(text)))"""
    forward, rollback = seen(crash_map(tmp_path), asked)
    assert forward == list(STEPS)
    assert rollback == ["(start)", *reversed(STEPS), "(end)"]


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("paper", ["report", "crash map", "points of a crash"])
def test_nothing_is_wider_than_the_screen(tmp_path: Path, paper: str, width: int):
    if paper == "report":
        long = Finding("a" * 300, "critical", "b" * 300, "c" * 300, "d" * 300, "e" * 300)
        page = built(tmp_path, findings=[long]) / "report" / "index.html"
    else:
        page = crash_map(tmp_path, "f" * 300)
    part = "f1-0" if paper == "points of a crash" else ""
    asked = """[page.documentElement, ...all(page, ".sheet:target")].map(one =>
        [one.scrollWidth, one.clientWidth])"""
    sizes = seen(page, asked, width, part)
    assert len(sizes) == (2 if part else 1)
    for wanted, there in sizes:
        assert wanted <= there <= width


@pytest.mark.parametrize("write", [no_go, crash_map])
def test_a_picture_of_the_screen_is_red_at_its_top(tmp_path: Path, write):
    picture = tmp_path / "phone.png"
    frame = framed(write(tmp_path), PHONE)
    browser(frame, f"--screenshot={picture}", "--window-size=500,900")
    png = base64.b64encode(picture.read_bytes()).decode()
    (tmp_path / "picture.html").write_text(PICTURE.format(png=png))
    assert answered(tmp_path / "picture.html").get(RED, 0) > 1000
