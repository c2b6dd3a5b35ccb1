"""A number is printed in one way, whoever prints it."""

import pytest

from harness.core.quantity import duration, per_second, rate, size, time_left


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.0994, "99 ms"),
        (0.0995, "0.1 s"),
        (119.4, "119.4 s"),
        (120, "2 min 0 s"),
        (3725, "62 min 5 s"),
    ],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2.0 h")]
)
def test_what_is_left_is_said_roughly(seconds: float, said: str) -> None:
    assert time_left(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1.5e9, "1.5 GB"), (4e16, "40000.0 TB")],
)
def test_a_size_has_the_unit_that_fits(number: float, said: str) -> None:
    assert size(number) == said


@pytest.mark.parametrize(
    ("number", "said"), [(None, ""), (0.25, "0.2/s"), (9.96, "10.0/s"), (12345, "12,345/s")]
)
def test_a_rate_has_the_digits_that_are_of_use(number: float | None, said: str) -> None:
    assert rate(number) == said
    assert per_second(number) == said.removesuffix("/s")
