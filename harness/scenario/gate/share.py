"""The suites that one shard of a gate runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from harness.core.shard import Shard
from harness.document.costs import Costs
from harness.document.shard import ShardDocument
from harness.document.verdict import UNSET, Unset
from harness.scenario.gate.discovery import Suites, suite_name

BY_KIND: Final[Mapping[str, float]] = {
    "crash": 40.0,
    "live": 30.0,
    "sabotage": 30.0,
    "maintenance": 20.0,
    "resume": 15.0,
    "verify": 12.0,
    "forward": 10.0,
}
"""Seconds that a suite takes, about, where none were measured."""
OTHER: Final = 6.0


def take_share(suites: Suites, shard: Shard | None, costs: Costs) -> Suites:
    """The suites of a shard, all of them without one. UsageError when there are too few."""
    if shard is None:
        return suites
    whole = suites.expected

    def cost(name: str) -> float:
        return costs.of(name, BY_KIND.get(name, OTHER))

    mine = set(shard.take(whole, cost, str))
    names = {
        path: suite_name(path.relative_to(suites.root).as_posix(), suites.home)
        for path in suites.own
    }
    others = tuple(path for path, name in names.items() if name not in mine)
    return replace(
        suites,
        own=tuple(path for path in suites.own if path not in others),
        shipped=tuple(one for one in suites.shipped if one.name in mine),
        left_alone=(*suites.left_alone, *others),
        absent=tuple(one for one in suites.absent if one.id.removeprefix("absent.") in mine),
        whole=whole,
    )


def shard_document(suites: Suites, shard: Shard | None, costs: Costs) -> ShardDocument | Unset:
    """What the verdict of a shard says of the whole; nothing of one that is no shard."""
    if shard is None:
        return UNSET
    return ShardDocument(index=shard.index, of=shard.of, whole=suites.whole, costs=costs.digest)
