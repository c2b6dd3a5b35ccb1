"""Sums over groups of rows that, compared later, name single rows that differ.

Rows fall into groups by a hash of their key. For a group where one row changed, the change of
sum(key * hash) divided by the change of sum(hash) is that row's key; for one added or deleted row
the change of sum(key) is. So a file of some hundred kilobytes names rows of any table, as long as
no two changed rows share a group; where they do, it says so. A sum per column names the columns.
"""

# ruff: noqa: S608 - the names in these statements come quoted from the server's own catalog
from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final

from harness.database.fingerprint.encoding import encode
from harness.database.fingerprint.layout import HashedTable
from harness.database.fingerprint.model import Sketch
from harness.database.fingerprint.parallel import Task
from harness.database.fingerprint.session import Connection, reading

GROUPS: Final = 1024
NAMED_KEYS: Final = 20_000
"""Keys that are no integer are kept up to this many rows of a table."""
COLUMN_MODULUS: Final = 1 << 32
_ROW_SEED, _KEY_SEED, _GROUP_SEED, _COLUMN_SEED = 11, 13, 17, 19


def sketch_task(table: HashedTable, sketches: MutableMapping[str, Sketch]) -> Task:
    """The work that sketches one table and puts the result into `sketches`."""

    @reading([table.name])
    def execute(conn: Connection) -> None:
        sketches[table.name] = sketch(conn, table)

    return execute


def sketch(conn: Connection, table: HashedTable) -> Sketch:
    """Sum up the rows of a table in groups."""
    groups = {str(group): sums for group, sums in _groups(conn, table)}
    rows = sum(sums[0] for sums in groups.values())
    keys = {}
    if table.key and not table.integer_key and rows <= NAMED_KEYS:
        keys = {str(number): text for number, text in _keys(conn, table)}
    columns = tuple(column.name for column in table.columns)
    return Sketch(key=", ".join(table.key), columns=columns, groups=groups, keys=keys)


def number_of(table: HashedTable) -> str:
    """SQL for the number that stands for a row's key: the key itself if it is one integer."""
    if table.integer_key:
        return f"t.{table.key[0]}::bigint"
    if table.key:
        return f'(hashtextextended({table.key_text} collate "C", {_KEY_SEED}) >> 1)'
    return ""


def group_of(number: str, groups: int) -> str:
    """SQL for the group of a key's number; all 64 bits count."""
    return f'(hashtextextended(({number})::text collate "C", {_GROUP_SEED}) & {groups - 1})'


def _groups(conn: Connection, table: HashedTable) -> list[tuple[int, list[int]]]:
    number = number_of(table)
    more = f", {number} as k" if number else ""
    more += "".join(
        f", {c.hash(_COLUMN_SEED)} & {COLUMN_MODULUS - 1} as c{place}"
        for place, c in enumerate(table.columns)
    )
    row = "(h >> 32)"  # half of it, so that its product with a key stays short
    key = "k" if number else row  # a row without a key is known by its contents
    columns = "".join(f", sum(c{place})" for place, _ in enumerate(table.columns))
    statement = (
        f"select {group_of(key, GROUPS)}, count(*), sum({key}), sum({row}),"
        f" sum({key}::numeric * {row}){columns}"
        f" from {table.rows(seed=_ROW_SEED, more=more)} q group by 1"
    )
    return [
        (group, [int(n) for n in sums[:4]] + [int(n) % COLUMN_MODULUS for n in sums[4:]])
        for group, *sums in conn.execute(encode(conn, statement))
    ]


def _keys(conn: Connection, table: HashedTable) -> list[tuple[int, str]]:
    statement = f"select {number_of(table)}, {table.key_text} from {table.source} t"
    return conn.execute(encode(conn, statement)).fetchall()
