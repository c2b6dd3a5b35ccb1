"""All rows by hash: what they must have become against what they are, across two databases.

The server sums the hashes of all rows of a bucket, so only buckets that differ send their rows.
The text of each value is what is compared; both sides are read under the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import psycopg
from psycopg import sql

from harness.check.verify import hashing
from harness.check.verify.file import ComparedRows
from harness.check.verify.lane import beside
from harness.core.finding import Finding
from harness.core.sqlstate import UNDEFINED_NAME
from harness.document.base import Word
from harness.plan.model import Statement

Connection = psycopg.Connection[Any]
Row = dict[str, str | None]
Answer = TypeVar("Answer")
SHOWN: Final = 200
"""Characters of a value that a person is shown."""

SUMS: Final = """
select bucket, count(*), sum(h), sum((h >> 32) * (h & 4294967295))
from (
    select hashtextextended({key} collate "C", 4294967296) & 255 as bucket, {hash} as h from (
{query}
    ) t ({columns}) offset 0
) hashed group by bucket
"""
"""OFFSET 0 keeps the planner from computing a hash, and what it is made of, wherever it is used."""
HASHES: Final = """
select {key}, md5((t.*)::text) from (
{query}
) t ({columns}) where hashtextextended({key} collate "C", 4294967296) & 255 = any (%s)
"""
FIELDS: Final = """
select {key}, {texts} from (
{query}
) t ({columns}) where {key} = any (%s)
"""
KEYS: Final = """
select {key} from (
{query}
) t ({columns}) order by md5({key} || %s), 1 limit %s
"""


@dataclass(frozen=True)
class Side:
    """One query on one connection, with its columns; the first is the key."""

    conn: Connection
    statement: Statement
    names: tuple[str, ...]
    types: tuple[int, ...]

    def ask(self, template: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of a query made of this one; the key is its text."""
        return self._run(template, params).fetchall()

    def sums(self, other: Side) -> dict[int, tuple[Any, ...]]:
        """Of each bucket how many rows there are, and the sums of their hashes."""
        hashed = hashing.row_hash(self.types, other.types)
        return {row[0]: row[1:] for row in self.ask(SUMS.replace("{hash}", hashed))}

    def fields(self, keys: Iterable[str]) -> dict[str, Row]:
        """Whole rows by key, every value as text."""
        found = self._run(FIELDS, (list(keys),)).fetchall()
        return {row[0]: dict(zip(self.names, row[1:], strict=True)) for row in found}

    def _run(self, template: str, params: tuple[Any, ...]) -> psycopg.Cursor[Any]:
        columns = hashing.names(len(self.names))  # the query's own names may stand twice
        parts = {
            "{key}": f"coalesce(t.{columns[0]}::text, '')",
            "{columns}": ", ".join(columns),
            "{texts}": ", ".join(f"t.{column}::text" for column in columns),
            "{query}": self.statement.text.replace("%", "%%"),  # last: it may say {key} itself
        }
        for name, part in parts.items():
            template = template.replace(name, part)
        return self.conn.execute(template.encode(), params)


@dataclass(frozen=True)
class Compared:
    """What the comparison of one file's rows gave."""

    rows: ComparedRows
    expected: int = 0
    found: int = 0
    wrong: int = 0
    differences: tuple[str, ...] = ()
    unknown: str | None = None
    sides: tuple[Side, Side] | None = field(default=None, compare=False)

    @property
    def verdict(self) -> Word:
        """pass, fail or unknown."""
        return "unknown" if self.unknown else "fail" if self.wrong else "pass"

    def finding(self) -> Finding | None:
        """The rows that are wrong; nothing when none is, proven or not."""
        if not self.wrong:
            return None
        count = f"{self.wrong:,} of {self.expected:,} rows differ"
        return Finding(
            self.rows.id,
            self.rows.severity,
            self.rows.relation,
            f"{self.rows.message}: {count if self.sides else 'it cannot be asked'}",
            self.rows.hint,
            "\n".join(self.differences),
        )


def compare(rows: ComparedRows, source: Connection, target: Connection, keys: int) -> Compared:
    """Compare all rows; name the first few that differ, column by column.

    What the migrated database lacks is wrong; what the old schema lacks leaves it unknown.
    """
    try:
        with target.transaction():
            found = _side(target, rows.found)
    except psycopg.Error as error:
        reason = _reason(rows, rows.found, error)
        if error.sqlstate in UNDEFINED_NAME:
            return Compared(rows, wrong=1, differences=(reason,))
        return Compared(rows, unknown=reason)
    try:
        with source.transaction(), target.transaction():
            return _compared(rows, (_side(source, rows.expected), found), keys)
    except psycopg.Error as error:
        if source.broken or target.broken:
            raise
        return Compared(rows, unknown=_reason(rows, rows.expected, error))


def _reason(rows: ComparedRows, statement: Statement, error: psycopg.Error) -> str:
    said = " ".join(str(error.diag.message_primary or error).split())
    return f"{rows.path.name}:{statement.line}: {said} (SQLSTATE {error.sqlstate})"


def _compared(rows: ComparedRows, sides: tuple[Side, Side], keys: int) -> Compared:
    expected, found = _at_once(sides, Side.sums)
    differing = [n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n)]
    totals = sum(row[0] for row in expected.values()), sum(row[0] for row in found.values())
    if not differing:
        return Compared(rows, *totals, sides=sides)
    before, after = _at_once(sides, lambda side, _: _by_key(side.ask(HASHES, differing)))
    wrong = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    wrong.sort(key=lambda key: (len(key), key))
    told = _told(sides, wrong[:keys], before, after)
    return Compared(rows, *totals, wrong=len(wrong), differences=tuple(told), sides=sides)


def _at_once(
    sides: tuple[Side, Side], ask: Callable[[Side, Side], Answer]
) -> tuple[Answer, Answer]:
    """What `ask` gives of each side and its other one; of two databases side by side.

    The error of the first side is raised before that of the second.
    """
    one, other = sides
    if one.conn is other.conn:
        return ask(one, other), ask(other, one)
    with beside(one.conn, lambda: ask(one, other)) as first:
        try:
            second = ask(other, one)
        except Exception:
            first.result()
            raise
        return first.result(), second


def _by_key(found: list[tuple[Any, ...]]) -> dict[str, list[str]]:
    """The hashes of a key's rows: a key that stands twice is a difference too."""
    keyed: dict[str, list[str]] = {}
    for key, digest in sorted(found, key=str):
        keyed.setdefault(str(key), []).append(digest)
    return keyed


def _told(
    sides: tuple[Side, Side],
    keys: list[str],
    before: dict[str, list[str]],
    after: dict[str, list[str]],
) -> Iterable[str]:
    expected, found = (side.fields(keys) for side in sides)
    for key in keys:
        if key not in after:
            yield f"{key}: the row is missing"
        elif key not in before:
            yield f"{key}: a row that should not be there"
        elif len(before[key]) != len(after[key]):
            yield f"{key}: {len(after[key])} rows, {len(before[key])} expected"
        else:
            for name, value in expected[key].items():
                if found[key].get(name) != value:
                    have, want = shortened(found[key].get(name)), shortened(value)
                    yield f"{key}: {name} is {have!r}, expected {want!r}"


def shortened(value: str | None) -> str | None:
    """A value as far as a person reads it."""
    if value is None or len(value) <= SHOWN:
        return value
    return f"{value[:SHOWN]}… ({len(value):,} characters)"


def _side(conn: Connection, statement: Statement) -> Side:
    """The query with the names of its columns, the first of which is the key."""
    query = sql.SQL("select * from ({}) t limit 0").format(sql.SQL(statement.text))
    cursor = conn.execute(query)
    assert cursor.description is not None
    names = tuple(column.name for column in cursor.description)
    return Side(conn, statement, names, tuple(column.type_code for column in cursor.description))
