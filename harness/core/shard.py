"""A share of some work: always the same, none of it in two shares, all of it in one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from harness.core.errors import UsageError

MOST: Final = 9999  # shares of one piece of work
Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """Share `index`, counted from 1, of so many."""

    index: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"

    def take(
        self,
        items: Sequence[Item],
        cost: Callable[[Item], float],
        name: Callable[[Item], str],
    ) -> list[Item]:
        """The items of this share, in their order. UsageError when there are fewer than shares.

        The costliest item goes first, each to the share with the least work: the same everywhere
        for the same items, costs and names.
        """
        if len(items) < self.of:
            raise UsageError(
                f"there is nothing for each of {self.of} shards: the work has {len(items)} parts",
                hint=f"take at most {max(1, len(items))} shards",
            )
        ordered = sorted(range(len(items)), key=lambda at: (-cost(items[at]), name(items[at]), at))
        loads = [(0.0, 0, number) for number in range(1, self.of + 1)]
        mine = []
        for at in ordered:
            load, count, number = min(loads)
            loads[number - 1] = (load + cost(items[at]), count + 1, number)
            if number == self.index:
                mine.append(at)
        return [items[at] for at in sorted(mine)]


def parse_shard(text: str) -> Shard:
    """Read I/N; UsageError when it is none, or out of range."""
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if found is None:
        raise UsageError(f"--shard takes I/N, not {text!r}", hint="such as --shard 1/4")
    shard = Shard(int(found[1]), int(found[2]))
    if not 1 <= shard.index <= shard.of:
        raise UsageError(
            f"--shard takes I/N with I from 1 to N, and {text!r} is out of range",
            hint="such as --shard 1/4",
        )
    return shard
