"""Latency counts from when an operation was due; a late sender is not the server's delay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.traffic.history import Operation
from harness.traffic.latency import DroppedLatency, Latency, measure_latency, record_latencies
from harness.traffic.rate import find_rate


def operation(client: int, planned: float, sent: float, answered: float | None) -> Operation:
    return Operation(
        client=client, name="read", kind="read", table="t", key="1", planned=planned, sent=sent,
        answered=answered, outcome="unknown" if answered is None else "acknowledged",
    )  # fmt: skip


def stalled() -> list[Operation]:
    """One client, 100 a second for 20 s; at 10 s the server stands still for a second."""
    found: list[Operation] = []
    free = 0.0
    for number in range(2000):
        planned = number / 100
        sent = max(planned, free)
        free = max(sent, 11.0) + 0.001 if sent >= 10.0 > found[-1].sent else sent + 0.001
        found.append(operation(1, planned, sent, free))
    return found


def test_a_stall_is_seen_from_when_operations_were_due() -> None:
    latency = measure_latency(stalled(), (0, 20))
    assert latency.n == 2000
    assert 500 < latency.p99 < 1000  # a hundred operations waited, the tenth part of them 0.9 s
    assert latency.longest == pytest.approx(1000, rel=0.02)
    assert latency.lag_p99 == 0.0  # the client could not have sent them any earlier


def test_a_clock_that_starts_at_sending_would_not_see_it() -> None:
    omitted = [operation(1, one.sent, one.sent, one.answered) for one in stalled()]
    assert measure_latency(omitted, (0, 20)).p99 < 2


def test_a_slow_sender_is_told_from_a_slow_server() -> None:
    late = [operation(1, n / 10, n / 10 + 0.02, n / 10 + 0.021) for n in range(100)]
    assert measure_latency(late, (0, 10)).lag_p99 == pytest.approx(20, rel=0.01)


def test_operations_outside_of_the_spans_are_left_out() -> None:
    assert measure_latency(stalled(), (0, 1), (2, 3)).n == 200


def test_what_the_histogram_would_drop_is_an_error() -> None:
    with pytest.raises(DroppedLatency, match="40000 s"):
        record_latencies([0.001, 40000.0])


CALM = Latency(n=500, p50=1, p99=2, longest=3, lag_p99=1.0, rate=100)


def test_the_rate_is_halved_until_the_sender_is_in_time() -> None:
    borne = find_rate(320, lambda factor: replace(CALM, lag_p99=1.0 if factor <= 0.25 else 9.0))
    assert borne.factor == 0.25
    assert borne.tried == ((320, 9.0), (160, 9.0), (80, 1.0))
    assert borne.why == ""


def test_less_than_twenty_a_second_is_unknown() -> None:
    borne = find_rate(100, lambda _factor: replace(CALM, lag_p99=6.0))
    assert borne.factor is None
    assert borne.tried[-1] == (25, 6.0)
    assert "does not bear 20 operations a second" in borne.why


def test_a_control_without_an_answer_bears_nothing() -> None:
    assert find_rate(30, lambda _factor: replace(CALM, n=0)).factor is None
