"""Whether a round was run as it must be: arms as named, turn and turn about, equally warm, whole.

Each sample carries what its process said of itself, so a round that was run otherwise shows it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from harness.scenario.bench.compare.rule import DecisionRule
from harness.scenario.bench.compare.sample import ARMS, Arm, ArmSample, SamplePair, order_of

Pairs = Sequence[SamplePair]


def find_flaw(pairs: Pairs, commits: Mapping[Arm, str], rule: DecisionRule) -> str:
    """Why a round cannot be judged, else an empty text."""
    for found in _flaws(pairs, commits, rule):
        return found
    return ""


def _flaws(pairs: Pairs, commits: Mapping[Arm, str], rule: DecisionRule) -> Iterator[str]:
    if len(pairs) != rule.pairs:
        yield f"{len(pairs)} pairs, not the {rule.pairs} that were fixed before"
    for number, pair in enumerate(pairs):
        for arm in ARMS:
            said = _flaw_of(pair.of(arm), commits[arm], rule)
            if said:
                yield f"{arm}, pair {number + 1}: {said}"
    for look in _LOOKS:
        said = look(pairs, rule)
        if said:
            yield said


def _flaw_of(sample: ArmSample, commit: str, rule: DecisionRule) -> str:
    if sample.commit != commit:
        return f"was run by {sample.commit[:12]}, not by {commit[:12]}: the arms are swapped"
    if {len(sample.seconds), len(sample.begun)} != {rule.inner}:
        return f"{len(sample.seconds)} runs, not {rule.inner}"
    if not all(math.isfinite(one) and one > 0 for one in sample.seconds):
        return "a run took no time that can be compared"
    return ""


def _order(pairs: Pairs, rule: DecisionRule) -> str:
    orders = [pair.order for pair in pairs]
    for arm in ARMS:
        if all(order[0] == arm for order in orders):
            return f"{arm} was always first"
    if orders != [order_of(number, rule.inner) for number in range(len(pairs))]:
        return "the arms did not take turns"
    moments = [[*pair.base.begun, *pair.head.begun] for pair in pairs]
    if any(min(later) <= max(before) for before, later in pairwise(moments)):
        return "a pair is not later than the one before: taken twice, or chosen"
    return ""


def _warmth(pairs: Pairs, _rule: DecisionRule) -> str:
    for number, pair in enumerate(pairs, 1):
        if pair.base.warmth != pair.head.warmth:
            warm = f"base {pair.base.warmth}, head {pair.head.warmth}"
            return f"the arms were not equally warm in pair {number}; runs before: {warm}"
    return ""


def _servers(pairs: Pairs, rule: DecisionRule) -> str:
    seen = {arm: Counter(pair.of(arm).server for pair in pairs) for arm in ARMS}
    for arm, servers in seen.items():
        if len(servers) != rule.servers or len(set(servers.values())) > 1:
            share = rule.pairs // rule.servers
            return f"{arm} did not get a fresh server for every {share} pairs"
    if seen["base"].keys() & seen["head"].keys():
        return "the arms shared a server"
    return ""


def _whole(pairs: Pairs, rule: DecisionRule) -> str:
    """Runs between two pairs that are not told were thrown away."""
    for arm in ARMS:
        for number, (one, other) in enumerate(pairwise(pair.of(arm) for pair in pairs), 2):
            if one.server == other.server and other.warmth != one.warmth + rule.inner:
                return f"{arm}: runs before pair {number} are missing: rerun, or thrown away"
    return ""


_LOOKS: Final[Sequence[Callable[[Pairs, DecisionRule], str]]] = (_order, _warmth, _servers, _whole)
