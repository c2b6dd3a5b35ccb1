"""What a clock says against a migration is asked twice; what was counted stands at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.core.finding import Finding
from harness.document.base import from_builtins, to_builtins
from harness.document.live import LiveDocument
from harness.scenario.live import LiveSettings, run_confirmed
from harness.scenario.live.judge import word_of
from tests.harness.support.report import live
from tests.harness.support.runner import SmallPlan

WAITED = Finding("live.waited", "critical", "forward 1/010", "a client waited 700 ms")
SLOW = Finding("live.latency", "critical", "p99", "p99 900 ms during batches")
LOST = Finding("history.lost", "critical", "public.a", "1 write is lost")
BUSY = "2 steps are not loaded"


def told(findings: tuple[Finding, ...], *unknowns: str) -> LiveDocument:
    words: dict[str, Any] = {
        "verdict": word_of(findings, unknowns),
        "findings": [to_builtins(one) for one in findings],
        "unknowns": list(unknowns),
    }
    return from_builtins(live(**words), LiveDocument)


@pytest.fixture
def confirmed(tmp_path: Path) -> Callable[..., tuple[LiveDocument, int]]:
    settings = LiveSettings(SmallPlan(tmp_path).load())

    def judge(*runs: LiveDocument) -> tuple[LiveDocument, int]:
        left = list(runs)
        document = run_confirmed(settings, lambda _settings: left.pop(0))
        return document, len(runs) - len(left)

    return judge


@pytest.mark.parametrize(
    ("runs", "verdict", "number"),
    [
        ([told(())], "pass", 1),
        ([told((LOST,))], "fail", 1),
        ([told((LOST, WAITED))], "fail", 1),
        ([told((WAITED,))], "fail", 1),
        ([told((SLOW,)), told((SLOW,))], "fail", 2),
        ([told((SLOW,)), told(())], "pass", 2),
        ([told((SLOW,)), told((LOST,))], "fail", 2),
        ([told((), BUSY), told((), BUSY)], "unknown", 2),
        ([told((), BUSY), told(())], "pass", 2),
    ],
)
def test_a_second_run_decides_on_clocks_and_on_what_is_unknown(
    confirmed: Callable[..., tuple[LiveDocument, int]],
    runs: list[LiveDocument],
    verdict: str,
    number: int,
) -> None:
    document, ran = confirmed(*runs)
    assert (document.verdict, ran) == (verdict, number)
    once = [one.message for one in document.findings if one.id == "live.once"]
    gone = [*runs[0].findings, *runs[0].unknowns] if (number, verdict) == (2, "pass") else []
    assert len(once) >= len(gone)
    assert all(one.severity == "warning" for one in document.findings if one.id == "live.once")
