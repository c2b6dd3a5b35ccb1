"""Pairs of values, learned from rows before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from harness.artifact.renames import ValuePairs

MOST: Final = 100
"""Different values of a column up to which it counts as a vocabulary."""
Rows: TypeAlias = Mapping[tuple[str, ...], Sequence[str | None]]


def learn_pairs(before: Rows, after: Rows, place: int, labels: frozenset[str]) -> ValuePairs | None:
    """What the values at a place of the rows became; None where none changed.

    `labels` are all values that the new column takes. A column of too many values is none of a
    vocabulary: None as well.
    """
    became: dict[str, set[str]] = defaultdict(set)
    for key, row in before.items():
        old = row[place]
        new = after[key][place] if key in after else None
        if old is not None and new is not None:
            became[old].add(new)
            if len(became) > MOST:
                return None
    if all(values == {old} for old, values in became.items()):
        return None
    single = {old: next(iter(values)) for old, values in became.items() if len(values) == 1}
    kept = {old for old, new in single.items() if old == new}
    return ValuePairs(
        {old: new for old, new in single.items() if old != new},
        # a label that no row had before the migration is one of the new vocabulary
        frozenset(kept | (labels - became.keys())),
        frozenset(became.keys() - single.keys()),
    )
