"""Name the rows and columns that differ between two live databases."""

# ruff: noqa: S608 - the names in these statements come quoted from the server's own catalog
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from harness.core.errors import UsageError
from harness.database.fingerprint.comparison import compare
from harness.database.fingerprint.encoding import encode
from harness.database.fingerprint.layout import HashedTable
from harness.database.fingerprint.model import Difference
from harness.database.fingerprint.session import Connection, explained, snapshot
from harness.database.fingerprint.sketching import group_of, number_of
from harness.database.fingerprint.taking import EXCLUDED, hold, take

LIMIT: Final = 100
_GROUPS: Final = 4096
_SEED: Final = 23


def compare_databases(
    before_dsn: str,
    after_dsn: str,
    *,
    exclude_schemas: Sequence[str] = EXCLUDED,
    allow_sequence_gaps: bool = False,
    limit: int = LIMIT,
) -> tuple[Difference, ...]:
    """Compare two live databases; rows are named with their values, `limit` of each table."""
    prints = [take(dsn, exclude_schemas=exclude_schemas) for dsn in (before_dsn, after_dsn)]
    found = compare(prints[0], prints[1], allow_sequence_gaps=allow_sequence_gaps)
    kept = [d for d in found if d.kind != "data" or d.attribute in ("presence", "rows")]
    shared = prints[0].relations.keys() & prints[1].relations.keys()
    for name in sorted(shared):
        if prints[0].relations[name] != prints[1].relations[name]:
            kept += rows_that_differ(
                before_dsn, after_dsn, name, exclude_schemas=exclude_schemas, limit=limit
            )
    return tuple(kept)


def rows_that_differ(
    before_dsn: str,
    after_dsn: str,
    table: str,
    *,
    exclude_schemas: Sequence[str] = EXCLUDED,
    limit: int = LIMIT,
) -> tuple[Difference, ...]:
    """The rows of one table that differ, by primary key and column, with both values.

    `table` is a relation as a fingerprint names it: qualified, and quoted where needed. A table
    without a primary key is compared by whole rows. At most `limit` rows are named.
    """
    what = f"comparing {table}"
    with (
        explained(what),
        snapshot(before_dsn, 1, exclude_schemas) as (a,),
        snapshot(after_dsn, 1, exclude_schemas) as (b,),
    ):
        both = [_open(conn, table) for conn in (a, b)]
        if [c.name for c in both[0].columns] != [c.name for c in both[1].columns]:
            return (_note(table, "the columns differ, so rows cannot be named"),)
        if both[0].key != both[1].key:
            return (_note(table, "the primary keys differ, so rows cannot be named"),)
        return tuple(_differing((a, b), both, limit))


def _open(conn: Connection, name: str) -> HashedTable:
    for table in hold(conn):
        if table.name == name:
            return table
    raise UsageError(f"there is no table {name} with rows", hint="name it with its schema")


def _differing(
    connections: tuple[Connection, Connection], tables: Sequence[HashedTable], limit: int
) -> Iterator[Difference]:
    name = tables[0].name
    sums = [_groups(c, t) for c, t in zip(connections, tables, strict=True)]
    groups = sorted(g for g in sums[0].keys() | sums[1].keys() if sums[0].get(g) != sums[1].get(g))
    named = 0
    for start in range(0, len(groups), 64):
        some = groups[start : start + 64]
        old, new = (_hashes(c, t, some) for c, t in zip(connections, tables, strict=True))
        keys = sorted(k for k in old.keys() | new.keys() if old.get(k) != new.get(k))
        keys = keys[: limit - named]
        named += len(keys)
        if tables[0].key:
            yield from _by_column(connections, tables, keys)
        else:
            yield from _by_row(connections, tables, keys, old, new)
        if named >= limit:
            yield _note(name, f"{limit} rows are named; there may be more")
            return


def _groups(conn: Connection, table: HashedTable) -> dict[int, tuple[Any, ...]]:
    statement = (
        f"select {group_of(_key(table), _GROUPS)}, count(*), sum(h),"
        f" sum((h >> 32) * (h & 4294967295)) from {_rows(table)} q group by 1"
    )
    return {group: tuple(rest) for group, *rest in conn.execute(encode(conn, statement))}


def _hashes(conn: Connection, table: HashedTable, groups: Sequence[int]) -> dict[Any, list[Any]]:
    """Key number -> the hashes of its rows, in the given groups."""
    statement = (
        f"select {_key(table)}, array_agg(h) from {_rows(table)} q"
        f" where {group_of(_key(table), _GROUPS)} = any ({_array(groups)}) group by 1"
    )
    return dict(conn.execute(encode(conn, statement)).fetchall())


def _rows(table: HashedTable) -> str:
    return table.rows(seed=_SEED, more=f", {number_of(table)} as k" if table.key else "")


def _key(table: HashedTable) -> str:
    """A row without a key is known by its contents."""
    return "k" if table.key else "h"


def _by_column(
    connections: tuple[Connection, Connection], tables: Sequence[HashedTable], keys: Sequence[int]
) -> Iterator[Difference]:
    old, new = (_values(c, t, keys) for c, t in zip(connections, tables, strict=True))
    name = f"table {tables[0].name}"
    for key in sorted(old.keys() | new.keys()):
        if key not in old or key not in new:
            words = ("present", "absent") if key in old else ("absent", "present")
            yield Difference("data", name, "row", *words, key=key)
            continue
        for column, a, b in zip(tables[0].columns, old[key], new[key], strict=True):
            if a != b:
                yield Difference("data", name, column.name, a, b, key=key)


def _values(
    conn: Connection, table: HashedTable, keys: Sequence[int]
) -> dict[str, list[str | None]]:
    texts = ", ".join(
        f"case when num_nulls(t.{c.name}) = 0 then concat(t.{c.name}) end" for c in table.columns
    )
    statement = (
        f"select {table.key_text}, array[{texts}]::text[] from {table.source} t"
        f" where {number_of(table)} = any ({_array(keys)})"
    )
    return dict(conn.execute(encode(conn, statement)).fetchall())


def _by_row(
    connections: tuple[Connection, Connection],
    tables: Sequence[HashedTable],
    keys: Sequence[int],
    old: dict[Any, list[Any]],
    new: dict[Any, list[Any]],
) -> Iterator[Difference]:
    for key in keys:
        counts = len(old.get(key, ())), len(new.get(key, ()))
        place = 0 if counts[0] else 1
        row = _row_text(connections[place], tables[place], key)
        yield Difference(
            "data",
            f"table {tables[0].name}",
            "rows like this",
            str(counts[0]),
            str(counts[1]),
            key=row,
        )


def _row_text(conn: Connection, table: HashedTable, key: int) -> str:
    rows = table.rows(seed=_SEED, more=", textin(record_out(t)) as whole")
    statement = f"select whole from {rows} q where h = {key} limit 1"
    row = conn.execute(encode(conn, statement)).fetchone()
    return str(row[0]) if row else ""


def _array(numbers: Sequence[int]) -> str:
    """Integers as SQL; parameters would make every % in a name a placeholder."""
    return f"'{{{','.join(map(str, numbers))}}}'::bigint[]"


def _note(table: str, note: str) -> Difference:
    return Difference("data", f"table {table}", "contents", None, None, note=note)
