"""Rounds of pairs as a machine gives them: it drifts, it is noisy, and some runs are spikes."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.scenario.bench.compare.rule import RULE
from harness.scenario.bench.compare.sample import ARMS, Arm, ArmSample, SamplePair, order_of

COMMITS: dict[Arm, str] = {"base": "b" * 40, "head": "f" * 40}


def dice(seed: object) -> random.Random:
    """Chance that is the same each time."""
    return random.Random(str(seed))  # noqa: S311 - a seed, not a secret


def machine(
    chance: random.Random, *, drift: float = 0.02, noise: float = 0.06, wave: float = 0.0
) -> Iterator[float]:
    """What a run of one second takes there, run after run; `wave` slows every other hundred."""
    speed, number = 0.0, 0
    while True:
        number += 1
        speed += chance.gauss(0, drift)
        spike = math.log(chance.uniform(1.2, 2.5)) if chance.random() < 0.05 else 0.0
        slow = wave if number // 100 % 2 else 0.0
        yield math.exp(speed + chance.gauss(0, noise) + spike + slow)


def round_of(runs: Iterator[float], *, slowdown: float = 1.0) -> list[SamplePair]:
    """A round as it must be run, head being `slowdown` times as slow as base."""
    pairs = []
    for number in range(RULE.pairs):
        seconds: dict[Arm, list[float]] = {"base": [], "head": []}
        for arm in order_of(number, RULE.inner):
            seconds[arm].append(next(runs) * (slowdown if arm == "head" else 1.0))
        pairs.append(pair_of(number, seconds))
    return pairs


def pair_of(number: int, seconds: Mapping[Arm, Sequence[float]]) -> SamplePair:
    """The pair of this number, run as it must be."""
    block, place = divmod(number, RULE.pairs // RULE.servers)
    order = order_of(number, RULE.inner)
    begun = {
        arm: [number * 100 + run for run, turn in enumerate(order) if turn == arm] for arm in ARMS
    }
    warmth = RULE.warm + place * RULE.inner
    made = [
        ArmSample(COMMITS[arm], f"{arm}-{block}", warmth, begun[arm], seconds[arm]) for arm in ARMS
    ]
    return SamplePair(*made)


def recorded(name: str) -> list[list[SamplePair]]:
    """The rounds of a comparison that was run for real, on a machine of two cores at load 27."""
    rounds = json.loads(Path(__file__).with_name("recorded.json").read_text())[name]
    return [
        [pair_of(number, dict(zip(ARMS, pair, strict=True))) for number, pair in enumerate(pairs)]
        for pairs in rounds
    ]


def rounds_of(
    many: int, seed: int, *, slowdown: float = 1.0, wave: float = 0.0
) -> Iterator[Sequence[SamplePair]]:
    """Many rounds, each on a machine of its own."""
    for number in range(many):
        yield round_of(machine(dice(f"{seed}/{number}"), wave=wave), slowdown=slowdown)
