"""Sums of each column by itself: which columns of two databases hold other values."""

# ruff: noqa: S608 - the names in these statements come quoted from the server's own catalog
from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal, TypeAlias

from harness.database.fingerprint.encoding import encode
from harness.database.fingerprint.layout import HashedTable
from harness.database.fingerprint.session import explained, snapshot
from harness.database.fingerprint.taking import EXCLUDED, hold

Omitted: TypeAlias = Mapping[str, Mapping[str, Literal["value", "whole"]]]
"""Relation -> column -> what is not compared of it: its value, or also whether it has one."""
Sum: TypeAlias = tuple[int, int, int]
"""How many values a column has, and two sums of their hashes, in no order."""

_SEED: Final = 5


def column_sums(dsn: str, relations: Collection[str]) -> dict[str, dict[str, Sum]]:
    """Of each relation that is there, each column's sum; names as a fingerprint has them."""
    found: dict[str, dict[str, Sum]] = {}
    with explained("comparing columns"), snapshot(dsn, 1, EXCLUDED) as (conn,):
        for table in hold(conn):
            if table.name in relations and table.columns:
                row = conn.execute(encode(conn, _statement(table))).fetchone()
                assert row is not None
                numbers = [int(number) for number in row]
                found[table.name] = {
                    column.name: (numbers[3 * n], numbers[3 * n + 1], numbers[3 * n + 2])
                    for n, column in enumerate(table.columns)
                }
    return found


def differing_columns(one_dsn: str, other_dsn: str, relations: Collection[str]) -> Omitted:
    """The columns whose values differ, each relation in both databases with the same columns."""
    one, other = (column_sums(dsn, relations) for dsn in (one_dsn, other_dsn))
    found: dict[str, dict[str, Literal["value", "whole"]]] = {}
    for relation in sorted(one.keys() & other.keys()):
        for column in one[relation].keys() & other[relation].keys():
            a, b = one[relation][column], other[relation][column]
            if a != b:
                part: Literal["value", "whole"] = "value" if a[0] == b[0] else "whole"
                found.setdefault(relation, {})[column] = part
    return found


def _statement(table: HashedTable) -> str:
    sums = []
    for column in table.columns:
        h = f"({column.hash(_SEED)})"
        sums += [
            f"count(*) filter (where not ({column.absent}))",
            f"coalesce(sum({h}), 0)",
            f"coalesce(sum(({h} >> 32) * ({h} & 4294967295)), 0)",
        ]
    return f"select {', '.join(sums)} from {table.source} t"
