"""Latencies while a migration is at work, beside those of the control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.document.base import Word
from harness.document.live import LatenciesDocument, LatencyDocument
from harness.traffic.latency import Latency

TIMES: Final = 3.0  # how often the p99 of the control is borne
NOTICED: Final = 50.0  # milliseconds; a p99 below is nobody's trouble
ENOUGH: Final = 1000  # operations that a p99 needs
SENT_LATE: Final = "the clients sent late by"


def compare_latencies(
    control: Latency, phases: Mapping[str, Latency], late: float
) -> LatenciesDocument:
    """Fail where the p99 during batches is more than three times the control's.

    Unknown where times say nothing: the clients sent late, or met too few batches.
    """
    verdict, why = _compared(control, phases, late)
    found = {name: latency_document(latency) for name, latency in phases.items()}
    return LatenciesDocument(
        verdict=verdict, why=why, control=latency_document(control), forward=found.get("forward"),
        rollback=found.get("rollback"), batches=found.get("batches"),
    )  # fmt: skip


def _compared(control: Latency, phases: Mapping[str, Latency], late: float) -> tuple[Word, str]:
    for name, latency in {"before": control, **phases}.items():
        if latency.lag_p99 > late:
            return "unknown", f"{name}: {SENT_LATE} {latency.lag_p99:g} ms (p99)"
    batches = phases.get("batches")
    if batches is None or min(batches.n, 4 * control.n) < ENOUGH:
        met = batches.n if batches else 0
        said = f"batches met {met} operations, {control.n} were before"
        return "unknown", f"too few operations for a p99: {said}"
    if batches.p99 <= max(NOTICED, TIMES * control.p99):
        return "pass", ""
    return "fail", (
        f"p99 {batches.p99:g} ms during batches (n = {batches.n}), {control.p99:g} ms before"
        f" (n = {control.n}); at most {TIMES:g} times is borne"
    )


def latency_document(latency: Latency) -> LatencyDocument:
    """The same, as the document has it."""
    return LatencyDocument(
        n=latency.n, p50=latency.p50, p99=latency.p99, longest=latency.longest,
        lag_p99=latency.lag_p99, rate=latency.rate, histogram=latency.histogram,
    )  # fmt: skip
