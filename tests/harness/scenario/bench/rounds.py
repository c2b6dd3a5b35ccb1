"""Rounds of pairs as a machine gives them: it drifts, it is noisy, and some runs are spikes."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

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
    share = RULE.pairs // RULE.servers
    pairs = []
    for number in range(RULE.pairs):
        block, place = divmod(number, share)
        begun: dict[Arm, list[float]] = {"base": [], "head": []}
        seconds: dict[Arm, list[float]] = {"base": [], "head": []}
        for run, arm in enumerate(order_of(number, RULE.inner)):
            begun[arm].append(number * 100 + run)
            seconds[arm].append(next(runs) * (slowdown if arm == "head" else 1.0))
        made = [
            ArmSample(
                COMMITS[arm], f"{arm}-{block}", 1 + place * RULE.inner, begun[arm], seconds[arm]
            )
            for arm in ARMS
        ]
        pairs.append(SamplePair(*made))
    return pairs


def rounds_of(
    many: int, seed: int, *, slowdown: float = 1.0, wave: float = 0.0
) -> Iterator[Sequence[SamplePair]]:
    """Many rounds, each on a machine of its own."""
    for number in range(many):
        yield round_of(machine(dice(f"{seed}/{number}"), wave=wave), slowdown=slowdown)
