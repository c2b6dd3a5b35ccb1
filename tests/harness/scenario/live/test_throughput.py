"""What gets done at saturation, from operations written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.scenario.live.course import RunEnd, TrafficCourse
from harness.scenario.live.throughput import SaturatedCourse, compare_throughput
from harness.traffic.history import Operation, StepWindow

BEFORE, BESIDE, FORWARD, BACK, AFTER = (0, 4), (4, 8), (8, 12), (12, 16), (16, 20)


def done(span: tuple[float, float], rate: float) -> list[Operation]:
    """Operations that were answered evenly over a span, `rate` a second."""
    count = round((span[1] - span[0]) * rate)
    return [
        Operation(
            client=1, name="read", kind="read", table="t", key="1", planned=at, sent=at,
            answered=at, outcome="acknowledged",
        )
        for at in (span[0] + place / rate for place in range(count))
    ]  # fmt: skip


def window(direction: str, step: str, begun: float, done: float) -> StepWindow:
    return StepWindow(
        direction=direction, step=step, kind="batch", begun=begun, done=done, ended=done
    )


STEPS = [
    window("forward", "1/010", 8, 8.1),
    window("forward", "1/020", 8.1, 12),
    window("rollback", "1/020", 12, 16),
]


def measured(rates: Sequence[float], error: str = "") -> tuple[str, str]:
    spans = (BEFORE, BESIDE, FORWARD, BACK, AFTER)
    operations = [one for span, rate in zip(spans, rates, strict=True) for one in done(span, rate)]
    runs = [RunEnd("forward", 8, 12, error), RunEnd("rollback", 12, 16)]
    course = TrafficCourse(steps=list(STEPS), runs=runs)
    found = compare_throughput(operations, SaturatedCourse(BEFORE, BESIDE, AFTER, course))
    return found.verdict, found.slowest


@pytest.mark.parametrize(
    ("rates", "verdict", "slowest"),
    [
        ((400, 400, 390, 300, 400), "pass", ""),
        ((400, 400, 400, 400, 600), "unknown", ""),  # the control is not steady
        ((400, 400, 200, 400, 400), "fail", "forward 1/020"),
        ((400, 400, 400, 200, 380), "fail", "rollback 1/020"),
        ((400, 200, 200, 400, 400), "unknown", ""),  # one busy session costs as much
        ((400, 200, 100, 400, 400), "fail", "forward 1/020"),
        ((40, 40, 10, 40, 40), "unknown", ""),  # it is over too soon
        ((400, 400, 2, 400, 400), "fail", "forward 1/020"),  # that few is no excuse
    ],
)
def test_less_than_seven_tenths_is_a_finding_by_step(
    rates: tuple[float, ...], verdict: str, slowest: str
) -> None:
    assert measured(rates) == (verdict, slowest)


def test_a_round_that_did_not_end_says_nothing() -> None:
    assert measured((400, 400, 100, 400, 400), "it failed") == ("unknown", "")
