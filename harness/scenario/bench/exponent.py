"""How times grow with the rows: an exponent between its bounds, and whether it may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.core.finding import Finding
from harness.document.base import Word
from harness.document.bench_run import BenchExponentDocument
from harness.scenario.bench.statistics import fit_exponent

LINEAR: Final = 1.10
"""What the upper bound of an exponent may be."""


def fit_exponents(
    times: Mapping[str, Sequence[tuple[int, float]]],
) -> Iterator[BenchExponentDocument]:
    """The exponent of each benchmark of which there are three sizes or more."""
    for name, points in times.items():
        fitted = fit_exponent([rows for rows, _ in points], [seconds for _, seconds in points])
        if fitted is None:
            continue
        verdict: Word = "unknown"
        if fitted.upper <= LINEAR:
            verdict = "pass"
        elif fitted.lower > LINEAR:
            verdict = "fail"
        yield BenchExponentDocument(
            name=name, exponent=round(fitted.exponent, 3), upper=round(fitted.upper, 3),
            lower=round(fitted.lower, 3), verdict=verdict,
        )  # fmt: skip


def judge_exponents(exponents: Sequence[BenchExponentDocument]) -> Iterator[Finding]:
    """What grows too fast, and what cannot be told."""
    for one in exponents:
        interval = f"by the exponent {one.exponent}, {one.lower} to {one.upper}"
        if one.verdict == "fail":
            yield Finding(
                "benchmark.exponent", "critical", one.name,
                f"{one.name} grows with the rows {interval}; {LINEAR:.2f} may be",
                "find the step whose time grows most: its statements look at more than their rows",
            )  # fmt: skip
        elif one.verdict == "unknown":
            yield Finding(
                "benchmark.exponent-unknown", "warning", one.name,
                f"cannot tell how {one.name} grows with the rows: {interval}, around {LINEAR:.2f}",
                "ask for sizes that are further apart, on a machine with less to do",
            )  # fmt: skip
