"""When operations are due."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from harness.traffic.schedule import planned_times


def test_same_seed_same_moments() -> None:
    first, again, other = (list(islice(planned_times(50, 10.0, s), 100)) for s in ("1", "1", "2"))
    assert first == again
    assert first != other
    assert first[0] == 10.0
    assert first == sorted(first)


def test_as_many_as_asked_on_average() -> None:
    moments = list(islice(planned_times(50, 0.0, "1"), 10_000))
    assert moments[-1] == pytest.approx(200, rel=0.05)


def test_even_arrivals_are_even() -> None:
    moments = list(islice(planned_times(50, 0.0, "1", "even"), 100))
    assert {round(after - before, 9) for before, after in pairwise(moments)} == {0.02}


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_must_be_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        next(planned_times(rate, 0.0, "1"))
