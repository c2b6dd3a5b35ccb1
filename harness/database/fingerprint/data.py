"""Count and hash every row, in parts that several connections share.

A relation's digest is two sums over its rows' 64-bit hashes: of the hashes, and of the products of
their halves, 128 bits together. Changes of many rows that cancel out escape it once in 2^128; the
change of a single row escapes when its hash stays the same, once in 2^64.
"""

# ruff: noqa: S608 - the names in these statements come quoted from the server's own catalog
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final

from harness.database.fingerprint.encoding import encode
from harness.database.fingerprint.layout import HashedTable
from harness.database.fingerprint.model import RelationSum
from harness.database.fingerprint.parallel import Sized, Task
from harness.database.fingerprint.session import Connection, reading

PART_BLOCKS: Final = 2048
"""Blocks of a large table that are hashed at a time: 16 MB, about 20 ms to 100 ms."""
SMALL: Final = 1024 * 1024
"""Tables up to this size together are hashed by one statement: a round trip costs as much."""
DIGEST_SEED: Final = 7046029254386353131
_MODULUS: Final = 1 << 64


class Sums:
    """The sums that the parts add up to, by relation."""

    def __init__(self, tables: Iterable[HashedTable]) -> None:
        self._sums = {table.name: [0, 0, 0] for table in tables}
        self._lock = Lock()

    def add(self, relation: str, part: Sequence[int]) -> None:
        """Add one part: rows and two sums of hashes."""
        with self._lock:
            total = self._sums[relation]
            for place, number in enumerate(part):
                total[place] += int(number)

    def relations(self) -> dict[str, RelationSum]:
        """Per relation the count, and both sums as 128 bits in hexadecimal."""
        return {
            name: {
                "rows": count,
                "digest": f"{first % _MODULUS:016x}{second % _MODULUS:016x}",
            }
            for name, (count, first, second) in sorted(self._sums.items())
        }


def statement(table: HashedTable, where: str = "true") -> str:
    """SQL for the rows and the two sums of a part of a table."""
    return (
        "select count(*), coalesce(sum(h), 0), coalesce(sum((h >> 32) * (h & 4294967295)), 0)"
        f" from {table.rows(where, seed=DIGEST_SEED)} q"
    )


def tasks_for(
    tables: Sequence[HashedTable], sums: Sums, write: Callable[..., str] = statement
) -> list[Task]:
    """What is to be done, largest first: parts of large tables, then groups of small ones."""
    work: list[Task] = [
        Sized(_task([(name, text)], sums), name, size) for name, text, size in _large(tables, write)
    ]
    for group, size in _groups(tables, write):
        work.append(Sized(_task(group, sums), group[0][0], size))
    return work


def parts(table: HashedTable, blocks: int) -> list[str]:
    """Conditions on row `t` that part the table, so many blocks each, where it can be parted."""
    starts = range(0, table.blocks, blocks) if table.divisible else ()
    if len(starts) < 2:
        return ["true"]
    ends = [f" and t.ctid < '({start},0)'" for start in starts[1:]]
    # the last part is open: blocks may have been added
    return [f"t.ctid >= '({at},0)'{end}" for at, end in zip(starts, [*ends, ""], strict=True)]


def _task(statements: Sequence[tuple[str, str]], sums: Sums) -> Task:
    names = [name for name, _ in statements]

    @reading(names)
    def execute(conn: Connection) -> None:
        union = " union all ".join(
            f"select {number} as place, s.* from ({text}) s"
            for number, (_, text) in enumerate(statements)
        )
        for place, *part in conn.execute(encode(conn, union)):
            sums.add(names[place], part)

    return execute


def _large(
    tables: Iterable[HashedTable], write: Callable[..., str]
) -> Iterable[tuple[str, str, int]]:
    """Relation, statement and about how many bytes it reads."""
    for table in tables:
        if table.size <= SMALL:
            continue
        wheres = parts(table, PART_BLOCKS)
        for where in wheres:
            yield table.name, write(table, where), table.size // len(wheres)


def _groups(
    tables: Iterable[HashedTable], write: Callable[..., str]
) -> Iterable[tuple[list[tuple[str, str]], int]]:
    group: list[tuple[str, str]] = []
    size = 0
    for table in tables:
        if table.size > SMALL:
            continue
        if group and (size + table.size > SMALL or len(group) >= 20):
            yield group, size
            group, size = [], 0
        group.append((table.name, write(table)))
        size += table.size
    if group:
        yield group, size
