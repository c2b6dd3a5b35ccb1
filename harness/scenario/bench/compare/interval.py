"""Hodges-Lehmann estimate and Wilcoxon signed-rank interval of paired differences.

Exact, in the standard library: numpy and scipy would be 50 MB for these lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from statistics import median


@dataclass(frozen=True)
class SignedRankInterval:
    """The median difference and the interval that holds it at the confidence asked for."""

    low: float
    estimate: float
    high: float


def signed_rank_interval(
    differences: Sequence[float], confidence: float
) -> SignedRankInterval | None:
    """The interval of paired differences; None where so few cannot give one at that confidence."""
    drop = _dropped(len(differences), confidence)
    if drop is None:
        return None
    pairs = combinations_with_replacement(differences, 2)
    walsh = sorted((one + other) / 2 for one, other in pairs)
    return SignedRankInterval(walsh[drop], median(walsh), walsh[-1 - drop])


@cache
def _dropped(count: int, confidence: float) -> int | None:
    """How many of the ordered Walsh averages lie outside the interval at each end.

    The largest k with P(W <= k) <= (1 - confidence) / 2, W being the signed-rank statistic.
    """
    tail, dropped = 0, None
    for k, ways in enumerate(_ways(count)):
        tail += ways
        if tail / 2**count > (1 - confidence) / 2:
            break
        dropped = k
    return dropped


def _ways(count: int) -> list[int]:
    """In how many ways the ranks of positive differences add up to 0, 1, 2 and so on."""
    ways = [1] + [0] * (count * (count + 1) // 2)
    for rank in range(1, count + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways
