"""Name the rows that differ from two sketches of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from harness.database.fingerprint.model import Difference, Sketch
from harness.database.fingerprint.sketching import COLUMN_MODULUS

NAMED_ROWS: Final = 100
"""Rows named per table; the rest are counted in groups."""


class RowChange(NamedTuple):
    """One row that differs: its key, what became of it, and in which columns."""

    key: str
    what: str
    columns: tuple[str, ...]


def changed_rows(table: str, before: Sketch, after: Sketch) -> Iterator[Difference]:
    """The rows that differ, as far as the sums tell; what they cannot tell is said."""
    if before.columns != after.columns or before.key != after.key:
        yield _unnamed(table, "the columns or the key differ, so rows cannot be named")
        return
    if before.version != after.version:
        why = "another version of the harness saved one of the two, so rows cannot be named"
        yield _unnamed(table, f"{why}; rows_that_differ names them from two live databases")
        return
    groups = [
        (before.groups.get(group), after.groups.get(group))
        for group in sorted(before.groups.keys() | after.groups.keys(), key=int)
        if before.groups.get(group) != after.groups.get(group)
    ]
    changes = [_decode(before, after, old, new) for old, new in groups]
    named = [change for change in changes if change is not None]
    for change in named[:NAMED_ROWS]:
        yield from _differences(table, change)
    rest = len(changes) - min(len(named), NAMED_ROWS)
    if rest:
        columns = sorted({c for old, new in groups for c in _columns(before, old, new)})
        yield _unnamed(
            table,
            f"rows of {rest} more groups of keys differ, in {', '.join(columns)}: too many to "
            "be named from a file; rows_that_differ names them from two live databases",
        )


def _unnamed(table: str, note: str) -> Difference:
    return Difference("data", f"table {table}", "contents", None, None, note=note)


def _differences(table: str, change: RowChange) -> Iterator[Difference]:
    name = f"table {table}"
    if change.what == "changed":
        if not change.columns:
            why = "in which column its sums do not tell"
            yield Difference("data", name, "contents", None, None, key=change.key, note=why)
        for column in change.columns:
            yield Difference("data", name, column, None, None, key=change.key)
        return
    words = ("present", "absent") if change.what == "deleted" else ("absent", "present")
    yield Difference("data", name, "row", *words, key=change.key)


def _decode(
    before: Sketch, after: Sketch, old: list[int] | None, new: list[int] | None
) -> RowChange | None:
    """The single row that makes a group differ, or None when it takes more than one."""
    rows, keys, hashes, products = _deltas(before, old, new)[:4]
    columns = _columns(before, old, new)
    if rows == 0 and keys == 0 and hashes and products % hashes == 0:
        return RowChange(_key(products // hashes, before, after), "changed", columns)
    if abs(rows) == 1 and products == keys * hashes * rows:
        what = "added" if rows > 0 else "deleted"
        return RowChange(_key(keys * rows, before, after), what, columns)
    return None


def _deltas(sketch: Sketch, old: list[int] | None, new: list[int] | None) -> list[int]:
    none = [0] * (4 + len(sketch.columns))
    return [b - a for a, b in zip(old or none, new or none, strict=True)]


def _columns(sketch: Sketch, old: list[int] | None, new: list[int] | None) -> tuple[str, ...]:
    sums = _deltas(sketch, old, new)[4:]
    return tuple(
        name
        for name, delta in zip(sketch.columns, sums, strict=True)
        if delta % COLUMN_MODULUS != 0
    )


def _key(number: int, before: Sketch, after: Sketch) -> str:
    if not before.key:
        return f"the row with hash {number & 0xFFFFFFFF:08x} (no primary key)"
    known = before.keys.get(str(number)) or after.keys.get(str(number))
    if known:
        return known
    if before.keys or after.keys or ", " in before.key:
        return f"the row whose key ({before.key}) has hash {number:016x}"
    return f"{before.key}={number}"
