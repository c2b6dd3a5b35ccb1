"""Cheap random columns: one stream a column, asked for a whole block at a time.

A pool becomes a table of slots in proportion to its weights; a few random bits choose a slot. No
floating point beyond + and *, so that every platform draws the same.
"""

from __future__ import annotations

import random
import sys
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

SLOTS: Final = 1 << 11
"""Small on purpose: larger tables were four times slower, for want of processor cache."""
PARENT_SLOTS: Final = 1 << 14
MOST_SLOTS: Final = 1 << 16


class Draws:
    """Random numbers of one stream; the key names it, and nothing else matters."""

    def __init__(self, *key: object) -> None:
        # a string key is hashed with SHA-512 by `random`, not with the process's own hash
        self.random = random.Random("/".join(map(str, key)))

    @staticmethod
    @lru_cache(maxsize=16)
    def _mask(slots: int, count: int) -> int:
        return int.from_bytes((slots - 1).to_bytes(2, "little") * count, "little")

    def numbers(self, slots: int, count: int) -> array[int]:
        """`count` numbers below `slots`, a power of two of at most 16 bits."""
        bits = self.random.getrandbits(16 * count) & self._mask(slots, count)
        found = array("H")
        found.frombytes(bits.to_bytes(2 * count, "little"))
        if sys.byteorder == "big":
            found.byteswap()
        return found


def spread_evenly(values: Sequence[str], slots: int = SLOTS) -> list[str]:
    """A slot table in which every value is about as likely as another."""
    return (list(values) * (slots // len(values) + 1))[:slots]


def spread_skewed(values: Sequence[str]) -> list[str]:
    """A slot table in which few values have most of the slots, as parents have children.

    The value at rank r has a share in proportion to 1/r; every one has a slot while they last.
    """
    slots = PARENT_SLOTS if len(values) <= PARENT_SLOTS // 2 else MOST_SLOTS
    values = values[:slots]
    total = 0
    for rank in range(1, len(values) + 1):
        total += slots // rank
    extra = slots - len(values)
    table: list[str] = []
    for rank, value in enumerate(values, 1):
        table += [value] * (1 + extra * (slots // rank) // total)
    return (table + table[: slots - len(table)] + [values[0]] * slots)[:slots]


def mix_in(table: list[str], value: str, share: float) -> list[str]:
    """The table with this share of its slots given to one value."""
    slots = len(table)
    taken = slots if share >= 1 else min(max(round(slots * share), 1), slots - 1)
    shuffled = list(table)
    random.Random(slots).shuffle(shuffled)  # a table has an order, and every value loses alike
    return [value] * taken + shuffled[taken:]
