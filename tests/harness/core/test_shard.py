"""Shards of some work: disjoint, complete, the same everywhere, and about equally costly."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.core.shard import Shard, parse_shard

CALM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
COSTS = st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=40)


def shares(costs: list[float], of: int) -> list[list[int]]:
    items = list(range(len(costs)))
    return [
        Shard(index, of).take(items, lambda item: costs[item], lambda item: f"part {item:03d}")
        for index in range(1, of + 1)
    ]


@settings(CALM)
@given(COSTS, st.integers(1, 8))
def test_shards_are_disjoint_complete_and_in_order(costs: list[float], of: int) -> None:
    found = shares(costs, min(of, len(costs)))
    assert sorted(item for share in found for item in share) == list(range(len(costs)))
    assert all(share == sorted(share) for share in found)


@settings(CALM)
@given(COSTS, st.integers(1, 8))
def test_no_shard_has_more_than_one_item_above_another(costs: list[float], of: int) -> None:
    """The bound of giving each item to the share with the least work."""
    sums = [sum(costs[item] for item in share) for share in shares(costs, min(of, len(costs)))]
    assert max(sums) - min(sums) <= max(costs) + 1e-6


def test_every_shard_has_something_even_of_what_costs_nothing() -> None:
    assert all(shares([0.0] * 5, 5))


def test_shards_do_not_depend_on_the_order_in_which_parts_were_found() -> None:
    costs = {f"part {number}": float(number % 3) for number in range(20)}
    orders = (list(costs), sorted(costs, reverse=True), sorted(costs, key=len))
    mine = [frozenset(Shard(2, 3).take(one, costs.__getitem__, str)) for one in orders]
    assert len(set(mine)) == 1


def test_more_shards_than_parts_are_refused() -> None:
    with pytest.raises(UsageError, match=r"each of 3 shards: the work has 2 parts.*at most 2"):
        shares([1.0, 1.0], 3)


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1/99999"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--shard takes I/N"):
        parse_shard(text)


def test_a_shard_is_read() -> None:
    assert str(parse_shard("2/16")) == "2/16"
