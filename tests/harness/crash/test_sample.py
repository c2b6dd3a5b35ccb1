"""A sample is drawn from every part of what there is, and a log hears how far it has come."""

from collections import Counter

import pytest

from harness.core.direction import Direction
from harness.crash.model import DomainName, Point, Task
from harness.crash.registry import DOMAINS
from harness.crash.sample import Place, sampled, shares
from harness.crash.tally import ProgressLines

STEPS = [f"1.1/{number:03d}_step" for number in range(8)]
WAYS: tuple[Direction, ...] = ("forward", "rollback")
SIZES: dict[DomainName, int] = {"wire": 60, "wal": 1}
"""Points of a domain in each direction, step and fault; of the others there are two."""
TASKS = [
    Task(domain, tuple(
        Point(domain, way, step, f"m{number:02d}", fault)
        for step in STEPS
        for number in range(SIZES.get(domain, 2))
        for fault in ("cut", "sigkill", "unheard")
    ))
    for domain in DOMAINS
    for way in WAYS
]  # fmt: skip


def drawn(number: int, seed: int = 1) -> list[Point]:
    return [p for task in sampled(TASKS, number, seed, boundaries=False) for p in task.points]


@pytest.mark.parametrize("number", [6, 12, 40, 150])
@pytest.mark.parametrize("seed", range(5))
def test_every_domain_and_direction_has_its_share_of_a_sample(number: int, seed: int):
    """40 points of a plan were all at two steps, and three domains absent without a word."""
    points = drawn(number, seed)
    assert len(points) == len(set(points)) == number
    assert {point.domain for point in points} == set(DOMAINS)
    if number > len(DOMAINS):
        assert {point.direction for point in points} == set(WAYS)
    if number >= 2 * len(DOMAINS):
        assert len({(point.domain, point.direction) for point in points}) == 2 * len(DOMAINS)


def test_steps_and_faults_take_turns_within_a_share():
    wire = [p for p in drawn(150) if (p.domain, p.direction) == ("wire", "forward")]
    for part in ("step", "fault"):
        counts = Counter(getattr(point, part) for point in wire)
        assert max(counts.values()) - min(counts.values()) <= 1, counts
    assert {point.step for point in wire} == set(STEPS)


def test_shares_are_in_proportion_and_never_more_than_there_are():
    there: dict[Place, int] = {("wire", "forward"): 90, ("wal", "forward"): 9}
    assert shares(there, 11) == {("wire", "forward"): 9, ("wal", "forward"): 2}
    assert shares(there, 500) == there
    assert sum(shares(there, 50).values()) == 50


def test_a_log_hears_every_ten_seconds_how_many_at_what_rate_and_how_long_it_takes():
    now, said = [0.0], list[str]()
    pace = ProgressLines(said.append, clock=lambda: now[0])
    pace.told("striking", 0, 4000)
    for second in range(1, 31):
        now[0] = float(second)
        pace.told("striking", second * 10, 4000)
    assert said == [
        "striking: 4,000 points",
        "striking: 100 of 4,000 points, 10.0 a second, about 6 min left",
        "striking: 200 of 4,000 points, 10.0 a second, about 6 min left",
        "striking: 300 of 4,000 points, 10.0 a second, about 6 min left",
    ]
