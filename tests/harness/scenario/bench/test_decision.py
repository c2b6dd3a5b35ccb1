"""The decision rule: what it catches, what it lets pass, and what it refuses to judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from harness.scenario.bench.compare.decision import (
    RoundResult,
    decide,
    judge_round,
    needs_confirmation,
)
from harness.scenario.bench.compare.interval import signed_rank_interval
from harness.scenario.bench.compare.sample import ArmSample, SamplePair
from tests.harness.scenario.bench.rounds import (
    COMMITS,
    dice,
    machine,
    recorded,
    round_of,
    rounds_of,
)

Pairs = Sequence[SamplePair]
MANY = 200


def said(many: int = MANY, **planted: float) -> Counter[str]:
    """What single rounds say on so many machines."""
    rounds = rounds_of(many, 7, **planted)
    return Counter(judge_round(pairs, COMMITS).change for pairs in rounds)


def test_a_slowdown_of_a_fifth_is_caught() -> None:
    assert said(slowdown=1.2)["slower"] >= 0.99 * MANY


def test_a_slowdown_of_a_tenth_is_caught_mostly() -> None:
    found = said(slowdown=1.1)
    assert found["slower"] >= 0.75 * MANY
    assert found["faster"] + found["same"] == 0


def test_a_speedup_is_called_faster() -> None:
    assert said(100, slowdown=1 / 1.2) == {"faster": 100}


@pytest.mark.parametrize("wave", [0.0, 0.7])
def test_equal_code_is_called_same_and_never_slower(wave: float) -> None:
    found = said(wave=wave)
    assert found["same"] >= 0.65 * MANY
    assert found["slower"] == found["faster"] == 0


def test_two_blocks_and_their_means_would_have_cried_wolf() -> None:
    """The comparison that this rule replaces, on the same machines."""
    alarms = 0
    for number in range(MANY):
        runs = machine(dice(f"7/{number}"))
        before, after = ([next(runs) for _ in range(16)] for _ in range(2))
        middle = [sum(block) / len(block) for block in (before, after)]
        alarms += middle[1] / middle[0] > 1.05
    assert alarms > 0.2 * MANY


def test_a_machine_too_noisy_cannot_tell_and_says_what_it_could_have_seen() -> None:
    found = judge_round(round_of(machine(dice(3), noise=0.6)), COMMITS)
    assert found.change == "cannot tell"
    assert found.smallest is not None
    assert found.smallest > 1.2
    assert f"{found.smallest - 1:.0%}" in found.why


def test_the_interval_is_that_of_the_tables() -> None:
    twenty = signed_rank_interval([float(number) for number in range(20)], 0.99)
    assert twenty is not None
    # the 38th of 210 Walsh averages from each end: the critical value of 20 pairs is 37
    walsh = sorted((a + b) / 2 for a in range(20) for b in range(a, 20))
    assert (twenty.low, twenty.estimate, twenty.high) == (walsh[37], 9.5, walsh[-38])
    assert signed_rank_interval([0.0] * 7, 0.99) is None
    assert signed_rank_interval([float(number) for number in range(8)], 0.99) is not None


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance = dice(11)
    outside = 0
    for _ in range(1000):
        found = signed_rank_interval([chance.gauss(0, 1) for _ in range(12)], 0.9)
        assert found is not None
        outside += not found.low <= 0 <= found.high
    assert 60 <= outside <= 140


def slowed(pairs: Pairs, factor: float) -> list[SamplePair]:
    """The pairs, had head been so much slower."""
    return each(pairs, seconds=lambda sample: [one * factor for one in sample.seconds])


def test_a_recorded_slowdown_is_caught_twice_at_a_load_of_27() -> None:
    """Five clones against six: a fifth more of the same work."""
    results = [judge_round(pairs, COMMITS) for pairs in recorded("planted")]
    assert [one.change for one in results] == ["slower", "slower"]
    assert decide(results).confirmed


def test_recorded_equal_code_is_not_called_slower() -> None:
    (pairs,) = recorded("null")
    assert judge_round(pairs, COMMITS).change in ("same", "cannot tell")


@pytest.mark.parametrize("name", ["planted", "null"])
def test_the_smallest_slowdown_that_is_said_is_the_smallest_seen(name: str) -> None:
    for pairs in recorded(name):
        found = judge_round(pairs, COMMITS)
        assert found.ratio is not None
        assert found.smallest is not None
        even = slowed(pairs, 1 / found.ratio)  # no change, and as noisy
        assert judge_round(slowed(even, found.smallest * 1.001), COMMITS).change == "slower"
        assert judge_round(slowed(even, found.smallest * 0.999), COMMITS).change != "slower"


def each(pairs: Pairs, **changed: Callable[[ArmSample], object]) -> list[SamplePair]:
    """The pairs with one field of every sample of head made anew."""
    return [
        replace(one, head=replace(one.head, **{name: to(one.head) for name, to in changed.items()}))
        for one in pairs
    ]


def swapped(pairs: Pairs) -> list[SamplePair]:
    return [SamplePair(pair.head, pair.base) for pair in pairs]


def base_first(pairs: Pairs) -> list[SamplePair]:
    return [
        replace(
            pair,
            base=replace(
                pair.base,
                begun=[min(pair.base.begun + pair.head.begun) + number * 2 for number in range(5)],
            ),
            head=replace(
                pair.head,
                begun=[
                    min(pair.base.begun + pair.head.begun) + number * 2 + 1 for number in range(5)
                ],
            ),
        )
        for pair in pairs
    ]


def warm(pairs: Pairs) -> list[SamplePair]:
    return each(pairs, warmth=lambda sample: sample.warmth + 20)


def chosen(pairs: Pairs) -> list[SamplePair]:
    """A pair run again until it pleases: both arms have more runs behind them."""
    later = [
        replace(one, warmth=one.warmth + 5) for pair in pairs[3:5] for one in (pair.base, pair.head)
    ]
    again = [SamplePair(*later[:2]), SamplePair(*later[2:])]
    return [*pairs[:3], *again, *pairs[5:]]


MISUSES: dict[str, tuple[Callable[[Pairs], Pairs], str]] = {
    "arms swapped": (swapped, "the arms are swapped"),
    "base always first": (base_first, "base was always first"),
    "warm cache for one": (warm, "not equally warm in pair 1"),
    "pairs rerun": (chosen, "runs before pair 4 are missing"),
    "more pairs": (lambda pairs: [*pairs, pairs[-1]], "21 pairs, not the 20"),
    "a pair taken twice": (lambda pairs: [*pairs[:19], pairs[17]], "not later than the one before"),
    "first by chance": (lambda pairs: [pairs[1], pairs[0], *pairs[2:]], "did not take turns"),
    "one server": (
        lambda pairs: each(pairs, server=lambda _: "one"), "head did not get a fresh server"
    ),
    "shared servers": (
        lambda pairs: each(pairs, server=lambda s: s.server.replace("head", "base")),
        "shared a server",
    ),
    "fewer runs": (lambda pairs: each(pairs, seconds=lambda s: s.seconds[:3]), "3 runs, not 5"),
    "no time": (lambda pairs: each(pairs, seconds=lambda _: [0.0] * 5), "took no time"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISUSES)
def test_a_round_run_otherwise_cannot_tell(name: str) -> None:
    misuse, reason = MISUSES[name]
    pairs = round_of(machine(dice(5)), slowdown=1.5)
    assert judge_round(pairs, COMMITS).change == "slower"
    found = judge_round(misuse(pairs), COMMITS)
    assert (found.change, found.ratio) == ("cannot tell", None)
    assert reason in found.why


SLOWER, SAME = RoundResult("slower"), RoundResult("same")


@pytest.mark.parametrize(
    ("rounds", "change", "why"),
    [
        ([SAME], "same", ""),
        ([SLOWER], "cannot tell", "slower once, and not confirmed"),
        ([SLOWER, SLOWER], "slower", ""),
        ([SLOWER, SAME], "cannot tell", "slower in the first round only; the second says same"),
        ([SAME, SLOWER], "cannot tell", "rerun though the first round said same"),
        (
            [SLOWER, SAME, SLOWER],
            "cannot tell",
            "3 rounds were run: rerun until it was significant",
        ),
    ],
)
def test_slower_needs_a_second_round_and_never_gets_a_third(
    rounds: list[RoundResult], change: str, why: str
) -> None:
    found = decide(rounds)
    assert (found.change, found.why, found.confirmed) == (change, why, change == "slower")
    assert needs_confirmation(rounds) == (rounds == [SLOWER])
