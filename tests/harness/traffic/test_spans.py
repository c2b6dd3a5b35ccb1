"""Spans of time, asked by a moment or by another span."""

from __future__ import annotations

import pytest

from harness.traffic.spans import Spans

SPANS = Spans.of([(5.0, 7.0), (1.0, 2.0), (2.0, 4.0)])


@pytest.mark.parametrize(
    ("moment", "held"),
    [(0.5, False), (1.0, True), (2.0, True), (3.9, True), (4.0, False), (6.0, True), (7.0, False)],
)
def test_a_moment_is_in_a_span_or_not(moment: float, held: bool) -> None:
    assert SPANS.holds(moment) is held


@pytest.mark.parametrize(
    ("begin", "end", "met"),
    [(0, 0.5, []), (0, 1, [0]), (1.5, 3, [0, 1]), (4, 4.5, []), (0, 9, [0, 1, 2]), (8, 9, [])],
)
def test_a_span_meets_others(begin: float, end: float, met: list[int]) -> None:
    assert list(SPANS.meeting(begin, end)) == met


def test_no_spans_hold_nothing() -> None:
    none = Spans.of([])
    assert not none.holds(1.0)
    assert list(none.meeting(0, 9)) == []
    assert (none.seconds, SPANS.seconds) == (0.0, 5.0)
