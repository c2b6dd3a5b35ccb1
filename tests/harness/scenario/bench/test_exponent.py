"""An exponent is told where its interval tells it: linear, too steep, or neither."""

from __future__ import annotations

import pytest

from harness.scenario.bench.exponent import fit_exponents, judge_exponents

SIZES = (10_000, 100_000, 1_000_000)
QUIET = (0.98, 1.0, 1.02)
NOISY = (0.2, 1.0, 5.0)


def times_of(power: float, noise: tuple[float, ...]) -> list[tuple[int, float]]:
    """Planted times: three rounds a size."""
    return [(rows, 1e-6 * rows**power * wobble) for rows in SIZES for wobble in noise]


@pytest.mark.parametrize(
    ("power", "noise", "verdict", "severities"),
    [
        (1.0, QUIET, "pass", []),
        (2.0, QUIET, "fail", ["critical"]),
        (1.1, NOISY, "unknown", ["warning"]),
    ],
    ids=["linear", "quadratic", "too noisy"],
)
def test_planted_times_are_judged_by_their_interval(
    power: float, noise: tuple[float, ...], verdict: str, severities: list[str]
) -> None:
    [found] = fit_exponents({"migrate": times_of(power, noise)})
    assert found.verdict == verdict
    assert found.lower <= found.exponent <= found.upper
    assert [one.severity for one in judge_exponents([found])] == severities


def test_two_sizes_say_nothing_of_an_exponent() -> None:
    assert list(fit_exponents({"migrate": times_of(2.0, QUIET)[:6]})) == []
