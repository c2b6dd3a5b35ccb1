"""Foreign keys that are set when their parents are there: circles, and trees with long keys."""

from __future__ import annotations

from typing import Any

import psycopg

from harness.rows.model import ForeignKey, Schema, Table, quote
from harness.rows.parents import quote_parent


def set_later(
    conn: psycopg.Connection[Any], schema: Schema, table: Table, key: ForeignKey, first_xid: str
) -> None:
    """Let the rows that were written since `first_xid` refer to parents.

    Columns that another foreign key has set already stay as they are: only parents that agree with
    them are chosen. One row in eight keeps its NULL, where it may be NULL.
    """
    free = _settable(table, key)
    pairs = list(zip(key.columns, key.keys, strict=True))
    fixed = [pair for pair in pairs if pair not in free]
    parent = schema.table(key.parent)
    source = parent.only if parent else quote_parent(key)
    nullable = any(not table.column(name).not_null for name, _ in free)
    conn.execute(
        _UPDATE.format(
            target=table.only,
            assigned=", ".join(f"{quote(c)} = s.k{n}" for n, (c, _) in enumerate(free)),
            made=", ".join(f"p.{quote(k)} AS k{n}" for n, (_, k) in enumerate(free)),
            source=source,
            child_part=_partition("c", [c for c, _ in fixed]),
            parent_part=_partition("p", [k for _, k in fixed]),
            keys=", ".join(quote(k) for k in key.keys),
            known=" AND ".join(f"p.{quote(k)} IS NOT NULL" for k in key.keys),
            same="".join(f" AND p.{quote(k)} = c.{quote(c)}" for c, k in fixed),
            place=_own_place() if key.parent == table.oid else _place(),
            some="c.harness_place % 8 <> 0" if nullable else "true",
            xid=first_xid,
        ).encode()
    )


def _settable(table: Table, key: ForeignKey) -> list[tuple[str, str]]:
    """The columns to set, each with its parent's: those that are nothing else's, if there are."""
    others = {name for k in table.foreign_keys if k.name != key.name for name in k.columns}
    unique = {name for unique in table.uniques for name in unique.columns}
    pairs = list(zip(key.columns, key.keys, strict=True))
    alone = [pair for pair in pairs if pair[0] not in others]
    empty = [pair for pair in alone if not table.column(pair[0]).not_null]
    return empty or [pair for pair in alone if pair[0] not in unique] or alone or pairs


def _partition(alias: str, names: list[str]) -> str:
    listed = ", ".join(f"{alias}.{quote(name)}" for name in names)
    return f"PARTITION BY {listed} " if names else ""


def _place() -> str:
    # more of the first ones than of the last, and no random number
    return "1 + floor(p.harness_total * power((c.harness_place * 0.6180339887) % 1, 2))::bigint"


def _own_place() -> str:
    """A tree: every row below one with a smaller number."""
    return "c.harness_place / 4"


_UPDATE = """
UPDATE {target} AS t SET {assigned}
FROM (
  SELECT c.harness_home, c.harness_row, {made}
  FROM (
    SELECT c.tableoid AS harness_home, c.ctid AS harness_row, c.*,
      row_number() OVER ({child_part}ORDER BY md5(c::text)) AS harness_place
    FROM {target} AS c WHERE age(c.xmin) <= age('{xid}'::xid)
  ) c
  JOIN (
    SELECT p.*, row_number() OVER ({parent_part}ORDER BY md5(p::text)) AS harness_number,
      count(*) OVER ({parent_part}) AS harness_total
    FROM {source} AS p WHERE {known}
  ) p ON p.harness_number = {place}{same}
  WHERE {some}
) s
WHERE t.tableoid = s.harness_home AND t.ctid = s.harness_row
"""
