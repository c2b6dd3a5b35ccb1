"""The rows that foreign keys may refer to, read from the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from harness.rows.model import ForeignKey, Schema, Table, quote

SAMPLE: Final = 20_000
"""So many parents are known, where more are not asked for."""
_ALL: Final = 1 << 31
_BESIDE: Final = 40
"""So many rows of a second parent are combined with one of the first."""


@dataclass(frozen=True)
class Cluster:
    """Foreign keys that share columns, and so are chosen together."""

    keys: tuple[ForeignKey, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, each once."""
        return tuple(dict.fromkeys(name for key in self.keys for name in key.columns))


def cluster_keys(keys: Sequence[ForeignKey]) -> list[Cluster]:
    """Foreign keys in groups that share no column with another group."""
    clusters: list[list[ForeignKey]] = []
    for key in keys:
        near = [group for group in clusters
                if any(set(key.columns) & set(other.columns) for other in group)]  # fmt: skip
        rest = [group for group in clusters if group not in near]
        clusters = [*rest, [other for group in near for other in group] + [key]]
    # each next one shares a column with one before it, so that a join is never a product
    return [Cluster(tuple(_chained(group))) for group in clusters]


def _chained(group: list[ForeignKey]) -> list[ForeignKey]:
    found, waiting = [group[0]], group[1:]
    while waiting:
        known = {name for key in found for name in key.columns}
        near = next(key for key in waiting if known & set(key.columns))
        found.append(near)
        waiting.remove(near)
    return found


def read_parents(
    conn: psycopg.Connection[Any],
    schema: Schema,
    cluster: Cluster,
    *,
    limit: int = SAMPLE,
    unused_in: Table | None = None,
) -> list[tuple[str, ...]]:
    """Values for the cluster's columns, in an order that looks random and is always the same.

    With `unused_in` only those that no row of that table has yet.
    """
    made: dict[str, str] = {}
    joins = []
    for number, key in enumerate(cluster.keys):
        shared = [pair for pair in zip(key.columns, key.keys, strict=True) if pair[0] in made]
        on = [f"p{number}.{quote(k)} = {made[column]}" for column, k in shared]
        source = _source(
            schema, key, number, [k for _, k in shared], _first(number, limit, unused_in)
        )
        joins.append(f"{source} ON {' AND '.join(on)}" if on else source)
        for column, k in zip(key.columns, key.keys, strict=True):
            made.setdefault(column, f"p{number}.{quote(k)}")
    fields = ", ".join(f"{place}::text" for place in made.values())
    unused = _unused(unused_in, made) if unused_in else ""
    query = (
        f"SELECT * FROM (SELECT DISTINCT {fields} FROM {' JOIN '.join(joins)}{unused}) AS f"
        f" ORDER BY pg_catalog.md5(f::text) LIMIT {limit}"
    )
    return conn.execute(query.encode()).fetchall()


def _first(number: int, limit: int, unused_in: Table | None) -> int | None:
    """How many rows of the first parent are looked at; of the others it is another number."""
    if number:
        return None
    return limit if unused_in is None else _ALL


def _source(
    schema: Schema, key: ForeignKey, number: int, shared: list[str], limit: int | None
) -> str:
    parent = schema.table(key.parent)
    name = parent.only if parent else quote_parent(key)
    columns = ", ".join(map(quote, key.keys))
    order = f"pg_catalog.md5(ROW({columns})::text)"
    known = " AND ".join(f"{quote(k)} IS NOT NULL" for k in key.keys)
    if limit is not None:
        return f"(SELECT {columns} FROM {name} WHERE {known} ORDER BY {order} LIMIT {limit}) p0"
    beside = ", ".join(map(quote, shared))
    return (
        f"(SELECT * FROM (SELECT {columns}, pg_catalog.row_number() OVER"
        f" (PARTITION BY {beside} ORDER BY {order}) AS harness_place FROM {name} WHERE {known}) r"
        f" WHERE r.harness_place <= {_BESIDE}) p{number}"
    )


def quote_parent(key: ForeignKey) -> str:
    """The parent of a key that is not among the tables to fill."""
    schema, _, name = key.parent_name.partition(".")
    return f"{quote(schema)}.{quote(name)}"


def _unused(table: Table, made: dict[str, str]) -> str:
    same = " AND ".join(f"t.{quote(column)} = {place}" for column, place in made.items())
    return f" WHERE NOT EXISTS (SELECT FROM {table.only} t WHERE {same})"
