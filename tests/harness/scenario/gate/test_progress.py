"""How far the suites are is said in a log and at a terminal, whatever its width."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from harness.report.verdict import Suite
from harness.scenario.gate.progress import GateBar, GateLog, drawn, narrator
from harness.scenario.gate.recorder import Advance, SuiteRecorder


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def advance(done: int, left: int = 1, name: str = "forward") -> Advance:
    suite = Suite(name, passed=done)
    return Advance(f"tests/migration/test_{name}.py::test_{'x' * 90}", done, 200, suite, left)


def test_a_log_has_a_line_a_suite_and_one_every_ten_seconds() -> None:
    said: list[str] = []
    clock = Clock()
    log = GateLog(said.append, clock)
    for second in range(1, 36):
        clock.now = second
        if second == 15:
            log.ended(advance(50))
        if second == 25:
            log.ended(advance(100, left=0))
        log.tick()
    assert said == [
        "  nothing has ended yet, 10 s",
        "  50 of 200 tests, 2.5/s, 60 s left",
        "  pass    forward        100 of 100",
        "  100 of 200 tests, 2.9/s, 35 s left",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_bar_fits_the_terminal(width: int) -> None:
    for one in (None, advance(0), advance(1), advance(199)):
        assert len(drawn(one, 12.0, width)) <= width
    assert "1 of 200 tests" in drawn(advance(1), 1.0, width)
    assert ("━" in drawn(advance(100), 12.0, width)) == (width >= 80)


@pytest.mark.parametrize("terminal", [True, False])
def test_each_suite_leaves_a_line_behind(terminal: bool) -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=40, highlight=False)
    with narrator(console) as told:
        assert isinstance(told, GateBar if terminal else GateLog)
        told.ended(advance(3, left=0))
        told.tick()
    assert "  pass    forward          3 of 3\n" in out.getvalue()
    assert ("3 of 200 tests" in out.getvalue()) == terminal  # a bar is drawn with what ended last


def test_a_suite_is_at_its_end_when_none_of_its_tests_is_left() -> None:
    heard: list[Advance] = []
    recorder = SuiteRecorder(heard.append)
    ids = [f"tests/migration/test_{name}.py::test_a" for name in ("one", "two")]
    ids.append("tests/migration/test_one.py::test_b")
    recorder.hear({"kind": "total", "ids": ids})
    for nodeid in ids:
        line = {"kind": "report", "nodeid": nodeid, "outcome": "passed", "seconds": 1.0}
        recorder.hear(line | {"when": "call"})
        recorder.hear(line | {"when": "teardown"})
    assert [(one.suite.name, one.left) for one in heard] == [("one", 1), ("two", 0), ("one", 0)]
