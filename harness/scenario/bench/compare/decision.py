"""The decision rule: faster, slower, same, or cannot tell; pure, with every number fixed before.

Two blocks of runs and a test of their means, which this replaces, cry wolf on a fifth to a half of
comparisons of equal code when the machine drifts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.scenario.bench.compare.flaws import find_flaw
from harness.scenario.bench.compare.interval import SignedRankInterval, signed_rank_interval
from harness.scenario.bench.compare.rule import RULE, DecisionRule
from harness.scenario.bench.compare.sample import Arm, SamplePair

Change = Literal["faster", "slower", "same", "cannot tell"]
ROUNDS: Final = 2
"""The first round, and one that confirms: more would be rerunning until it is significant."""


@dataclass(frozen=True)
class RoundResult:
    """What one round says. Ratios are head to base; `smallest` is the ratio from which it would
    have called head slower. All are None where `why` says that it cannot be judged.
    """

    change: Change
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    smallest: float | None = None
    why: str = ""


@dataclass(frozen=True)
class ComparisonResult:
    """What all rounds of a benchmark say; `confirmed` is set for a slowdown that was seen twice."""

    change: Change
    shown: RoundResult
    confirmed: bool = False
    why: str = ""


def judge_round(
    pairs: Sequence[SamplePair], commits: Mapping[Arm, str], rule: DecisionRule = RULE
) -> RoundResult:
    """What a round of pairs says; cannot tell, with the reason, where it was not run as it must."""
    flaw = find_flaw(pairs, commits, rule)
    if flaw:
        return RoundResult("cannot tell", why=flaw)
    differences = [math.log(pair.head.value / pair.base.value) for pair in pairs]
    interval = signed_rank_interval(differences, rule.confidence)
    if interval is None:
        why = f"{len(pairs)} pairs are too few for an interval of {rule.confidence:.0%}"
        return RoundResult("cannot tell", why=why)
    return _judge_interval(interval, rule)


def _judge_interval(interval: SignedRankInterval, rule: DecisionRule) -> RoundResult:
    band = math.log1p(rule.band)
    change: Change = "cannot tell"
    if interval.low > band:
        change = "slower"
    elif interval.high < -band:
        change = "faster"
    elif -band <= interval.low and interval.high <= band:
        change = "same"
    smallest = math.exp(band + interval.estimate - interval.low)
    why = ""
    if change == "cannot tell":
        why = f"only a slowdown of {smallest - 1:.0%} or more could have been seen"
    return RoundResult(
        change, math.exp(interval.estimate), math.exp(interval.low), math.exp(interval.high),
        smallest, why,
    )  # fmt: skip


def needs_confirmation(rounds: Sequence[RoundResult]) -> bool:
    """Whether another round of the same size is due: after one that says slower, once."""
    return len(rounds) == 1 and rounds[0].change == "slower"


def decide(rounds: Sequence[RoundResult]) -> ComparisonResult:
    """What the rounds of a benchmark come to; slower only where two say so."""
    first = rounds[0]
    if len(rounds) > ROUNDS:
        why = f"{len(rounds)} rounds were run: rerun until it was significant"
        return ComparisonResult("cannot tell", first, why=why)
    if first.change != "slower":
        if len(rounds) == 1:
            return ComparisonResult(first.change, first, why=first.why)
        why = f"rerun though the first round said {first.change}"
        return ComparisonResult("cannot tell", first, why=_with(why, first.why))
    if len(rounds) == 1:
        return ComparisonResult("cannot tell", first, why="slower once, and not confirmed")
    second = rounds[1]
    if second.change == "slower":
        return ComparisonResult("slower", first, confirmed=True)
    why = f"slower in the first round only; the second says {second.change}"
    return ComparisonResult("cannot tell", second, why=_with(why, second.why))


def _with(why: str, more: str) -> str:
    return f"{why}: {more}" if more else why
