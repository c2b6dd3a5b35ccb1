"""The pictures of a run under traffic show what its document says."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.document.base import from_builtins
from harness.document.live import LiveDocument
from harness.report.traffic import HEIGHT, WIDTH, draw_traffic
from tests.harness.support.report import built, live


def document() -> LiveDocument:
    return from_builtins(live(), LiveDocument)


def points(line: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, _, y in (one.partition(",") for one in line.split())]


def test_time_goes_from_left_to_right_and_what_took_long_is_high() -> None:
    told = live()
    told["series"]["moments"][1]["longest"] = 1000.0
    drawn = draw_traffic(from_builtins(told, LiveDocument)).picture
    assert drawn is not None
    (first, low), (second, high) = points(drawn.longest)
    assert 0 <= first < second <= WIDTH
    assert 0 == high < low < HEIGHT
    assert [band.direction for band in drawn.bands] == ["forward", "rollback"]
    assert drawn.bands[0].left < drawn.bands[1].left


def test_a_run_without_moments_has_no_picture() -> None:
    told = live(series={"width": 1.0, "moments": [], "spans": []})
    assert draw_traffic(from_builtins(told, LiveDocument)).picture is None
    assert draw_traffic(from_builtins(live(series=None), LiveDocument)).picture is None


def test_steps_that_kept_clients_waiting_are_listed_the_longest_first(tmp_path: Path) -> None:
    told = live()
    told["steps"][0] |= {"waited_ms": 20.0, "victims": 1}
    told["steps"][1] |= {"waited_ms": 700.0, "victims": 3, "step": "9/<b>"}
    shown = draw_traffic(from_builtins(told, LiveDocument))
    assert [step.waited_ms for step in shown.waits] == [700.0, 20.0]
    assert shown.longest_wait == 700.0
    page = (built(tmp_path, {"live": told}) / "report" / "index.html").read_text()
    assert 'id="live"' in page
    assert page.count("<polyline") == 3
    assert "9/<wbr>&lt;b&gt;" in page


def test_nobody_who_waited_is_said(tmp_path: Path) -> None:
    assert draw_traffic(document()).waits == []
    page = (built(tmp_path) / "report" / "index.html").read_text()
    assert "Nobody waited 50 ms or longer" in page
    assert "Times cannot tell: too few operations" in page


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("pass", "At least 70%"), ("unknown", "Cannot tell: not steady"), ("fail", "forward 1/020:")],
)
def test_what_got_done_at_saturation_is_shown(tmp_path: Path, verdict: str, said: str) -> None:
    throughput = {
        "verdict": verdict, "why": "" if verdict == "pass" else "not steady", "before": 3000.0,
        "beside": 2000.0, "after": 2900.0, "forward": 1500.0, "share": 0.5, "n": 900,
        "slowest": "forward 1/020" if verdict == "fail" else "",
    }  # fmt: skip
    new = {"applicable": False, "why": "it has <none>"}
    told = live(throughput=throughput, new_clients=new)
    page = (built(tmp_path, {"live": told}) / "report" / "index.html").read_text()
    assert said in page
    assert "width:50.0%" in page
    assert "not applicable; it has &lt;none&gt;" in page
