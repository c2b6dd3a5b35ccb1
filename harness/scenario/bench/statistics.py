"""Medians, spreads, paired ratios and fitted exponents of times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

from harness.document.bench_run import BenchTimeDocument

# Student's t, one-sided 95%, by degrees of freedom
T95: Final = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782)
NORMAL: Final = 1.76  # of more degrees; a little more than it is


def summarize(times: Sequence[float]) -> BenchTimeDocument:
    """The median and the distance of the quartiles."""
    spread = 0.0
    if len(times) > 1:
        low, _, high = statistics.quantiles(times, n=4, method="inclusive")
        spread = high - low
    return BenchTimeDocument(
        median=round(statistics.median(times), 6), spread=round(spread, 6), rounds=len(times)
    )


def paired_ratio(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """The median of the pairs' ratios, and the lower end of its 95% interval by order.

    Fewer than five pairs have no such interval: then the lower end is 0.
    """
    ratios = sorted(new / old for old, new in zip(before, after, strict=True) if old > 0)
    if not ratios:
        return math.inf, 0.0
    place, chance = -1, 0.0
    for k in range(len(ratios)):
        chance += math.comb(len(ratios), k) / 2 ** len(ratios)
        if chance > 0.05:
            break
        place = k
    return statistics.median(ratios), ratios[place] if place >= 0 else 0.0


class FittedExponent(NamedTuple):
    """A slope with its one-sided bounds of 95%."""

    exponent: float
    upper: float
    lower: float


def fit_exponent(rows: Sequence[int], times: Sequence[float]) -> FittedExponent | None:
    """The slope of log time over log rows, with its bounds; None of too few sizes."""
    if len(set(rows)) < 3 or any(time <= 0 for time in times):
        return None
    xs, ys = [math.log(one) for one in rows], [math.log(one) for one in times]
    slope, intercept = statistics.linear_regression(xs, ys)
    degrees = len(xs) - 2
    rest = sum((y - intercept - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    middle = statistics.fmean(xs)
    error = math.sqrt(rest / degrees / sum((x - middle) ** 2 for x in xs))
    margin = (T95[degrees - 1] if degrees <= len(T95) else NORMAL) * error
    return FittedExponent(slope, slope + margin, slope - margin)
