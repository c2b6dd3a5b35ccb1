"""What was said of the time left is held against what was left, without the time of a pause."""

from __future__ import annotations

import pytest

from harness.observe.eta_error import EtaErrors, ToldTime, errors_of
from harness.observe.pace import MeanRate
from harness.observe.standing import ProgressStanding, line
from harness.runner.outcome import Event

STEP = "1.1/020_fill"
Point = tuple[float, str, int]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def median_of(points: list[Point], total: int = 1000, kind: type[EtaErrors] = EtaErrors) -> object:
    """The error after a series: at which second, what was told, how many rows lay behind."""
    clock = Clock()
    errors = kind(clock)
    for clock.now, told, done in points:
        errors.receive(Event(told, STEP, done=done, total=total))
    return errors.median_percent()


def steady(first: int = 0, pause: float = 0.0) -> list[Point]:
    """Ten rows a second from `first` to 1000; halfway a pause."""
    seconds = (1000 - first) // 10
    half = seconds // 2
    points = [(0.0, "measured", first)]
    points += [(float(n), "batch", first + 10 * n) for n in range(1, half + 1)]
    points += [(float(half), "paused", 0), (half + pause, "pause_ended", 0)]
    points += [(n + pause, "batch", first + 10 * n) for n in range(half + 1, seconds + 1)]
    return [*points, (seconds + pause, "step_done", 0)]


class DeafToPauses(EtaErrors):
    """A planted defect: the time of a pause is time of work."""

    def receive(self, event: Event) -> None:
        if not event.kind.startswith("pause"):
            super().receive(event)


@pytest.mark.parametrize("first", [0, 900])
def test_a_steady_rate_is_told_without_error_also_when_resumed_or_paused(first: int) -> None:
    assert median_of(steady(first)) == 0.0
    assert median_of(steady(first, pause=3600.0)) == 0.0


def test_planted_a_pause_that_counts_as_work_is_an_error() -> None:
    found = median_of(steady(pause=3600.0), kind=DeafToPauses)
    assert isinstance(found, float)
    assert found > 20


def test_the_error_of_a_series_is_what_one_works_out_by_hand() -> None:
    # 100 rows in 10 s, then the other 100 in 20 s: three estimates, and a fourth before a tenth
    told = [ToldTime(19, 1.9, 99.0), ToldTime(100, 10.0, 10.0), ToldTime(150, 20.0, 6.7)]
    assert errors_of(told, 0, 200, 30.0) == pytest.approx([0.5, 0.33])
    points: list[Point] = [(0.0, "measured", 0), (10.0, "batch", 100), (20.0, "batch", 150)]
    points += [(30.0, "batch", 200), (30.0, "step_done", 0)]
    # said: 10 s (20 were left), 6 2/3 s (10 were left); at the end nothing is left to be said
    assert median_of(points, total=200) == pytest.approx((50 + 100 / 3) / 2, abs=0.1)


def test_nothing_is_said_of_the_error_where_no_time_left_was_said() -> None:
    quick: list[Point] = [(0.0, "measured", 0), (0.5, "batch", 1000), (0.5, "step_done", 0)]
    assert median_of(quick) is None
    unended: list[Point] = [(0.0, "measured", 0), (5.0, "batch", 500)]
    assert median_of(unended) is None
    assert median_of([*unended, (9.0, "batch", 900), (9.0, "step_done", 0)], total=0) is None


def test_what_is_left_stands_still_while_the_work_is_held_back() -> None:
    clock = Clock()
    pace = MeanRate(clock)
    pace.at(0, 1000)
    clock.now = 5.0
    pace.at(500, 1000)
    pace.hold()
    clock.now = 3605.0
    at = ProgressStanding("migrate", what=STEP, done=500, total=1000, unit="rows")
    assert line(at, pace).endswith(f"100 rows/s, about 5 s left without the pause in {STEP}")
    pace.release()
    assert (pace.left(), pace.seconds, pace.worked) == (5.0, 3605.0, 5.0)
