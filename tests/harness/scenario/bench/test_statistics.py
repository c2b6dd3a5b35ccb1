"""Paired ratios and fitted exponents say what planted times hold, and no more than they can."""

from __future__ import annotations

import pytest

from harness.scenario.bench.statistics import fit_exponent, paired_ratio, summarize


def test_times_are_told_by_their_median_and_the_distance_of_their_quartiles() -> None:
    found = summarize([4.0, 1.0, 2.0, 3.0, 100.0])
    assert (found.median, found.spread, found.rounds) == (3.0, 2.0, 5)
    assert summarize([1.0]).spread == 0.0


@pytest.mark.parametrize(("pairs", "least"), [(9, 1.4), (5, 1.3), (4, 0.0)])
def test_few_pairs_promise_nothing(pairs: int, least: float) -> None:
    before = [1.0] * pairs
    after = [1.3 + place / 10 for place in range(pairs)]
    assert paired_ratio(before, after)[1] == pytest.approx(least)


def test_a_slow_machine_in_the_second_half_is_in_no_ratio() -> None:
    drift = [1.0] * 5 + [3.0] * 4
    assert paired_ratio(drift, [one * 2 for one in drift]) == (2.0, 2.0)


@pytest.mark.parametrize(("power", "linear"), [(1.0, True), (0.9, True), (1.2, False)])
def test_the_exponent_of_planted_times(power: float, linear: bool) -> None:
    rows = [10_000] * 3 + [100_000] * 3 + [1_000_000] * 3
    noise = [0.97, 1.0, 1.03] * 3
    fitted = fit_exponent(rows, [n**power * wobble for n, wobble in zip(rows, noise, strict=True)])
    assert fitted is not None
    assert fitted[0] == pytest.approx(power, abs=0.01)
    assert (fitted[1] <= 1.10) is linear


def test_two_sizes_are_too_few_for_an_exponent() -> None:
    assert fit_exponent([10, 10, 100, 100], [1.0, 1.0, 10.0, 10.0]) is None
