"""SQL for the hash of a whole row, exact to the text of every value.

Each column is hashed under a seed of its own, and the row's hash is made of these hashes: half of
the cost of the text of whole rows. A value of two types on the two sides is hashed by its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_INTEGERS: Final = frozenset({20, 21, 23})
_TEXTS: Final = frozenset({25, 1043})  # not bpchar, which loses its blanks on the way to text
_TIMES: Final = frozenset({1114, 1184})


def names(count: int) -> list[str]:
    """What the columns of a query are called here."""
    return [f"c{place}" for place in range(count)]


def row_hash(own: Sequence[int], other: Sequence[int]) -> str:
    """SQL for a 64-bit hash of columns of these types, called as `names` says.

    `other` are the types on the other side: both sides say the same of the same values.
    """
    hashes = [
        _column(name, place, own[place], other[place] if place < len(other) else None)
        for place, name in enumerate(names(len(own)))
    ]
    # the last hash mixes the columns' hashes, so that values cannot be swapped between rows; the
    # number of columns in it tells rows with a column more
    return f"hashint8extended({' # '.join(hashes)}, {len(own)})"


def _column(name: str, seed: int, own: int, other: int | None) -> str:
    """SQL for a column's hash; NULL and the empty text differ."""
    if own in _INTEGERS and other in _INTEGERS:
        hashed = f"hashint8extended({name}::bigint, {seed})"
    elif own in _TIMES and own == other:
        hashed = f"timestamp_hash_extended({name}::timestamp, {seed})"
    elif own in _TEXTS:
        hashed = f'hashtextextended({name}::text collate "C", {seed})'
    else:
        # never a cast: a person may have made one. A composite of NULLs is not NULL
        text = f"case when num_nulls({name}) = 0 then concat({name}) end"
        hashed = f'hashtextextended({text} collate "C", {seed})'
    return f"coalesce({hashed}, 0)"
