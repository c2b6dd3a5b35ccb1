"""All rows by hash: what they must have become against what they are, across two databases.

The server sums the hashes of all rows of a bucket, so only buckets that differ send their rows.
The text of a row is what is hashed; both sides are read under the same settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.check.verify.file import ComparedRows
from harness.core.finding import Finding
from harness.core.sqlstate import UNDEFINED_NAME
from harness.document.base import Word
from harness.plan.model import Statement

Connection = psycopg.Connection[Any]
Row = dict[str, str | None]
SHOWN: Final = 200
"""Characters of a value that a person is shown."""

SUMS: Final = """
select ('x' || substr(md5(key), 1, 2))::bit(8)::int as bucket, count(*),
    sum(('x' || substr(hash, 1, 16))::bit(64)::bigint),
    sum(('x' || substr(hash, 17))::bit(64)::bigint)
from (
    select {key} as key, md5(t::text) as hash from (
{query}
    ) t
) hashed group by bucket
"""
HASHES: Final = """
select {key}, md5(t::text) from (
{query}
) t where ('x' || substr(md5({key}), 1, 2))::bit(8)::int = any (%s)
"""
FIELDS: Final = """
select {texts} from (
{query}
) t where {key} = any (%s)
"""
KEYS: Final = """
select {key} from (
{query}
) t order by md5({key} || %s), 1 limit %s
"""


@dataclass(frozen=True)
class Side:
    """One query on one connection, and the name of its key."""

    conn: Connection
    statement: Statement
    names: tuple[str, ...]

    @property
    def key(self) -> str:
        """The first column, as text."""
        return f"coalesce(t.{_quoted(self.names[0])}::text, '')"

    def ask(self, template: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows of a query made of this one; the key is its text."""
        return self._run(template, params).fetchall()

    def fields(self, keys: Iterable[str]) -> dict[str, Row]:
        """Whole rows by key, every value as text."""
        found = self._run(FIELDS, (list(keys),)).fetchall()
        return {str(row[0]): dict(zip(self.names, row, strict=True)) for row in found}

    def _run(self, template: str, params: tuple[Any, ...]) -> psycopg.Cursor[Any]:
        query = self.statement.text.replace("%", "%%")
        texts = ", ".join(f"t.{_quoted(name)}::text" for name in self.names)
        parts = {"{query}": query, "{key}": self.key, "{texts}": texts}
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
    expected, found = ({row[0]: row[1:] for row in side.ask(SUMS)} for side in sides)
    differing = [n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n)]
    totals = sum(row[0] for row in expected.values()), sum(row[0] for row in found.values())
    if not differing:
        return Compared(rows, *totals, sides=sides)
    before, after = (_by_key(side.ask(HASHES, differing)) for side in sides)
    wrong = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    wrong.sort(key=lambda key: (len(key), key))
    told = _told(sides, wrong[:keys], before, after)
    return Compared(rows, *totals, wrong=len(wrong), differences=tuple(told), sides=sides)


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
    return Side(conn, statement, tuple(column.name for column in cursor.description))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
