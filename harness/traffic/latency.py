"""How long operations took from the moment at which they were due, and how late they were sent.

An operation is late by its sender only where its client was free: one whose session still waited
for an answer is the server's delay, and counts in the latency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.core.errors import HarnessError, UsageError
from harness.core.extras import require_extra
from harness.traffic.history import Operation
from harness.traffic.spans import Spans

MICROSECONDS: Final = 1_000_000
LONGEST: Final = 3600 * MICROSECONDS  # a histogram drops what is beyond its range
DIGITS: Final = 3


@dataclass(frozen=True)
class Latency:
    """Of `n` operations, in milliseconds, from when they were due to their answer."""

    n: int
    p50: float
    p99: float
    longest: float
    lag_p99: float
    rate: float
    histogram: str = ""


class DroppedLatency(HarnessError):  # noqa: N818 - reads as what happened
    """A latency was out of the histogram's range, which would hide the worst of all."""


def measure_latency(
    operations: Sequence[Operation], *spans: tuple[float, float], histogram: bool = True
) -> Latency:
    """The latencies of the operations that were due within some spans of time.

    Raises InfrastructureError where a histogram is wanted and the extra is missing.
    """
    within = Spans.of(spans)
    due = [one for one in operations if within.holds(one.planned)]
    seconds = sorted(one.answered - one.planned for one in due if one.answered is not None)
    lags = sorted(send_lags(operations, within))
    return Latency(
        n=len(seconds),
        p50=_milliseconds(seconds, 0.50),
        p99=_milliseconds(seconds, 0.99),
        longest=_milliseconds(seconds, 1),
        lag_p99=_milliseconds(lags, 0.99),
        rate=round(len(due) / within.seconds, 1) if within.seconds > 0 else 0.0,
        histogram=_encoded(seconds) if histogram else "",
    )


def _encoded(seconds: Sequence[float]) -> str:
    """Latencies as a histogram that others can merge."""
    require_extra("live", "harness live")
    return str(record_latencies(seconds).encode().decode("ascii"))


def record_latencies(seconds: Iterable[float]) -> Any:
    """A histogram of microseconds; DroppedLatency for what does not fit in it."""
    from hdrh.histogram import HdrHistogram

    histogram = HdrHistogram(1, LONGEST, DIGITS)
    for latency in seconds:
        if not histogram.record_value(max(1, round(latency * MICROSECONDS))):
            raise DroppedLatency(f"a latency of {latency:g} s is more than the histogram holds")
    return histogram


def _milliseconds(ordered: Sequence[float], share: float) -> float:
    """The value that a share of all does not exceed."""
    return round(1000 * ordered[int(share * (len(ordered) - 1))], 3) if ordered else 0.0


def send_lags(operations: Iterable[Operation], within: Spans) -> list[float]:
    """By how many seconds each operation was sent later than its client could have sent it."""
    free: dict[int, float] = {}
    lags = []
    for one in sorted(operations, key=lambda operation: operation.sent):
        since = max(one.planned, free.get(one.client, one.planned))
        if within.holds(one.planned):
            lags.append(max(0.0, one.sent - since))
        free[one.client] = one.sent if one.answered is None else one.answered
    return lags


def merge_histograms(encoded: Sequence[str]) -> Latency:
    """The latencies of several histograms together; only what a histogram knows is set.

    Raises InfrastructureError without the extra, UsageError for what is no histogram.
    """
    require_extra("live", "a merge of histograms")
    from hdrh.histogram import HdrHistogram

    merged = HdrHistogram(1, LONGEST, DIGITS)
    for text in encoded:
        try:
            merged.decode_and_add(text.encode("ascii"))
        except Exception as error:  # of whatever kind: the decoder raises what its parts raise
            raise UsageError(
                f"a histogram cannot be read: {type(error).__name__}",
                hint="name the live.json that harness live wrote",
            ) from error
    return Latency(
        n=merged.get_total_count(),
        p50=_of_histogram(merged, 50),
        p99=_of_histogram(merged, 99),
        longest=_of_histogram(merged, 100),
        lag_p99=0.0,
        rate=0.0,
        histogram=merged.encode().decode("ascii"),
    )


def _of_histogram(histogram: Any, percent: float) -> float:
    return round(float(histogram.get_value_at_percentile(percent)) / 1000, 3)
