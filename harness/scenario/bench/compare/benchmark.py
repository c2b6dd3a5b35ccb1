"""One benchmark of a comparison, from its rounds of pairs to what the document says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from harness.document.comparison import ComparedBenchmarkDocument, ComparisonRoundDocument
from harness.scenario.bench.compare.decision import RoundResult, decide, judge_round
from harness.scenario.bench.compare.rule import DecisionRule
from harness.scenario.bench.compare.sample import ARMS, Arm, SamplePair


def compared_benchmark(
    name: str,
    rounds: Sequence[Sequence[SamplePair]],
    commits: Mapping[Arm, str],
    rule: DecisionRule,
    more: str = "",
) -> ComparedBenchmarkDocument:
    """What the rounds come to; `more` is why there is no second one."""
    results = [judge_round(pairs, commits, rule) for pairs in rounds]
    found = decide(results)
    values = [pair for pairs in rounds for pair in _values(pairs)]
    shown = found.shown
    return ComparedBenchmarkDocument(
        name=name, verdict=found.change, confirmed=found.confirmed,
        why=f"{found.why}: {more}" if more else found.why,
        ratio=shown.ratio, low=shown.low, high=shown.high, smallest=shown.smallest,
        base_seconds=median(base for base, _ in values) if values else None,
        head_seconds=median(head for _, head in values) if values else None,
        rounds=[_round(*one) for one in zip(results, rounds, strict=True)],
    )  # fmt: skip


def _round(result: RoundResult, pairs: Sequence[SamplePair]) -> ComparisonRoundDocument:
    return ComparisonRoundDocument(
        verdict=result.change, ratio=result.ratio, low=result.low, high=result.high,
        smallest=result.smallest, why=result.why,
        pairs=_values(pairs),
    )  # fmt: skip


def _values(pairs: Sequence[SamplePair]) -> list[tuple[float, float]]:
    """The values of the pairs that have any: of a flawed round a file may say anything."""
    runs = [pair for pair in pairs if all(_sound(pair.of(arm).seconds) for arm in ARMS)]
    return [(pair.base.value, pair.head.value) for pair in runs]


def _sound(seconds: Sequence[float]) -> bool:
    return bool(seconds) and all(math.isfinite(one) for one in seconds)
