"""Sums over groups of rows that, compared later, name single rows that differ.

Rows fall into groups by a hash of their key. For a group where one row changed, the change of
sum(key * hash) divided by the change of sum(hash) is that row's key; for one added or deleted row
the change of sum(key) is. So a file of some hundred kilobytes names rows of any table, as long as
no two changed rows share a group; where they do, it says so. A sum per column names the columns.
"""

# ruff: noqa: S608 - the names in these statements come quoted from the server's own catalog
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Final

from harness.database.fingerprint.data import DIGEST_SEED, Sums, parts
from harness.database.fingerprint.encoding import encode
from harness.database.fingerprint.layout import HashedColumn, HashedTable
from harness.database.fingerprint.model import Sketch
from harness.database.fingerprint.parallel import Sized, Task
from harness.database.fingerprint.session import Connection, reading

GROUPS: Final = 1024
NAMED_KEYS: Final = 20_000
"""Keys that are no integer are kept up to this many rows of a table."""
COLUMN_MODULUS: Final = 1 << 32
VERSION: Final = 2
PART_BLOCKS: Final = 8192
"""Blocks of a large table that are sketched at a time: each part answers with every group."""
_KEY_SEED, _GROUP_SEED = 13, 17
_DIGEST: Final = 2
"""Sums of a group that are the digest's: one reading of the rows is enough for both."""


class Sketches:
    """The sums that the parts of the tables add up to, by relation and group."""

    def __init__(self, tables: Iterable[HashedTable]) -> None:
        self._tables = {table.name: table for table in tables}
        self._groups: dict[str, dict[int, list[int]]] = {name: {} for name in self._tables}
        self._keys: dict[str, dict[str, str]] = {name: {} for name in self._tables}
        self._lock = Lock()

    def tasks(self) -> list[Task]:
        """The work that reads every row once."""
        return [
            Sized(self._task(table, where), table.name, table.size // len(wheres))
            for table in self._tables.values()
            for wheres in [parts(table, PART_BLOCKS)]
            for where in wheres
        ]

    def sums(self) -> Sums:
        """What the rows come to in all."""
        found = Sums(self._tables.values())
        for name, groups in self._groups.items():
            for rows, *sums in groups.values():
                found.add(name, (rows, *sums[:_DIGEST]))
        return found

    def read_keys(self, conn: Connection) -> None:
        """Read the keys of small tables where these are no integers."""
        for name, table in self._tables.items():
            rows = sum(sums[0] for sums in self._groups[name].values())
            if table.key and not table.integer_key and rows <= NAMED_KEYS:
                with reading([name]):
                    self._keys[name] = {str(number): text for number, text in _keys(conn, table)}

    def found(self) -> dict[str, Sketch]:
        """The sketch of every table."""
        return {
            name: Sketch(
                key=", ".join(table.key),
                columns=tuple(column.name for column in table.columns),
                groups={
                    str(group): _kept(sums) for group, sums in sorted(self._groups[name].items())
                },
                keys=self._keys[name],
                version=VERSION,
            )
            for name, table in self._tables.items()
        }

    def _task(self, table: HashedTable, where: str) -> Task:
        statement = _statement(table, where)

        @reading([table.name])
        def execute(conn: Connection) -> None:
            self._add(table.name, conn.execute(encode(conn, statement)).fetchall())

        return execute

    def _add(self, name: str, part: Sequence[Sequence[int | None]]) -> None:
        with self._lock:
            groups = self._groups[name]
            for group, *sums in part:
                assert group is not None
                numbers = [int(number or 0) for number in sums]  # of no value there is no sum
                before = groups.get(group)
                groups[group] = (
                    [a + b for a, b in zip(before, numbers, strict=True)] if before else numbers
                )


def _kept(sums: list[int]) -> list[int]:
    """A group as a sketch has it: rows, keys, hashes, key * hash, and a sum per column."""
    rows, _, _, keys, hashes, low, high, *columns = sums
    return [rows, keys, hashes, low + (high << 32), *(n % COLUMN_MODULUS for n in columns)]


def _statement(table: HashedTable, where: str) -> str:
    """SQL for the sums of each group: those of the digest, then those that name rows."""
    written = _written_once(table, where)
    number = number_of(written)
    more = f", {number} as k" if number else ""
    more += "".join(f", {_hash(c)} as c{place}" for place, c in enumerate(written.columns))
    row = "(h >> 32)"  # half of it, so that its product with half a key is a bigint
    key = "k" if number else row  # a row without a key is known by its contents
    columns = "".join(f", sum(c{place})" for place, _ in enumerate(written.columns))
    return (
        f"select hashint8extended({key}, {_GROUP_SEED}) & {GROUPS - 1}, count(*),"
        f" sum(h), sum({row} * (h & 4294967295)), sum({key}), sum({row}),"
        f" sum(({key} & 4294967295) * {row}), sum(({key} >> 32) * {row}){columns}"
        f" from {written.rows(seed=DIGEST_SEED, more=more)} q group by 1"
    )


def _written_once(table: HashedTable, where: str) -> HashedTable:
    """The table with values as text that its row's hash and its column's hash are both made of."""
    columns = [
        f"case when not ({c.absent}) then concat({c.value}) end as {c.name}"
        if c.form == "plain" and not c.integer and c.name not in table.key
        else f"t.{c.name}"
        for c in table.columns
    ]
    rows = f"(select {', '.join(columns)} from {table.source} t where {where} offset 0)"
    return dataclasses.replace(table, source=rows)


def _hash(column: HashedColumn) -> str:
    """SQL for 32 bits of a value; NULL has none."""
    name = f"t.{column.name}"
    if column.integer:
        # hashint8 folds eight bytes into four, and 1 is then 4294967296: the upper half by itself
        upper = f"hashint4(({name}::bigint >> 32)::integer)::bigint"
        return f"({upper} * 3 + hashint8({name}::bigint))"
    if column.form in ("timestamp", "timestamptz"):
        return f"timestamp_hash({name}::timestamp)"  # the session's time zone is UTC
    text = column.value if column.is_text else f'concat({column.value}) collate "C"'
    return f"hashtext({text})"


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


def _keys(conn: Connection, table: HashedTable) -> list[tuple[int, str]]:
    statement = f"select {number_of(table)}, {table.key_text} from {table.source} t"
    return conn.execute(encode(conn, statement)).fetchall()
