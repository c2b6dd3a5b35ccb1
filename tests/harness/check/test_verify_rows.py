"""Rows are compared exactly to the text of every value, both databases at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.check.verify import rows as verify_rows
from harness.check.verify.file import ComparedRows
from harness.check.verify.rows import Compared
from harness.database import pinned
from harness.plan.model import Statement
from harness.server import Server

Connection = psycopg.Connection[Any]
Pair = tuple[Connection, Connection]

DIFFER = {
    "one value": ("select 1, 'a'", "select 1, 'b'"),
    "two columns that change places": ("select 1, 'a', 'b'", "select 1, 'b', 'a'"),
    "two rows that change a value": (
        "values (1, 'a', 'x'), (2, 'b', 'y')",
        "values (1, 'b', 'x'), (2, 'a', 'y')",
    ),
    "numbers that change rows": ("values (1, 5, 7), (2, 6, 8)", "values (1, 6, 7), (2, 5, 8)"),
    "nothing and an empty text": ("select 1, null::text", "select 1, ''"),
    "nothing and zero": ("select 1, null::int", "select 1, 0"),
    "blanks that char keeps": ("select 1, 'a '::char(3)", "select 1, 'a'::char(2)"),
    "digits of a number": ("select 1, 1.0", "select 1, 1.00"),
    "digits inside JSON": ("""select 1, '{"a": 1.0}'::jsonb""", """select 1, '{"a": 1}'::jsonb"""),
    "blanks inside JSON": ("select 1, '[1,2]'::json", "select 1, '[1, 2]'::json"),
    "minus zero": ("select 1, '-0'::float8", "select 1, '0'::float8"),
    "a microsecond": (
        "select 1, timestamptz '2026-01-01 00:00:00.000001Z'",
        "select 1, timestamptz '2026-01-01 00:00:00Z'",
    ),
    "a row of nothing, and nothing": ("select 1, row(null, null)", "select 1, null::record"),
    "where a text ends": ("select 1, 'a', 'bc'", "select 1, 'ab', 'c'"),
    "a column called t": ("select 1 as id, 2 as n, 3 as t", "select 1 as id, 9 as n, 3 as t"),
    "a column more": ("select 1, 'a'", "select 1, 'a', null::text"),
    "a row that stands twice": ("values (1, 'a')", "values (1, 'a'), (1, 'a')"),
    "a key that is nothing": ("select null::int, 'a'", "select null::int, 'b'"),
    "a word of ours": ("select 1, '{key}', '5%'", "select 1, '{query}', '5%'"),
    "a row that is missing": ("values (1, 'a'), (2, 'a')", "values (1, 'a')"),
}
SAME = {
    "integers of two widths": (
        "select 1::int, 7::int2, -8::int",
        "select 1::int8, 7::int8, -8::int8",
    ),
    "a word and a value of another type": ("select 1, 'read'", "select 1, 'read'::pg_catalog.name"),
    "nothing of two types": ("select 1, null::text, null::int", "select 1, null::date, null::text"),
    "a time and its text": (
        "select 1, timestamptz '2026-01-01Z'",
        "select 1, '2026-01-01 00:00:00+00'",
    ),
    "a name that stands twice": ("select 1 as a, 2 as a", "select 1 as a, 2 as a"),
    "rows in another order": ("values (1, 'a'), (2, 'b')", "values (2, 'b'), (1, 'a')"),
}
MET = """
create function pg_temp.met(meeting int, mine int, other int) returns boolean language plpgsql as $$
begin
    perform pg_catalog.pg_advisory_lock(meeting, mine);
    while not exists (
        select from pg_catalog.pg_locks
        where locktype = 'advisory' and (classid, objid) = (meeting::oid, other::oid) and granted
            and pid <> pg_catalog.pg_backend_pid()
    ) loop perform pg_catalog.pg_sleep(0.01); end loop;
    return true;
end $$
"""


@pytest.fixture(scope="module")
def pair(harness_server: Server) -> Iterator[Pair]:
    dsn = harness_server.dsn()
    with psycopg.connect(dsn, autocommit=True) as one, psycopg.connect(dsn, autocommit=True) as two:
        for conn in (one, two):
            pinned.pin(conn)
        yield one, two


def compared(pair: Pair, expected: str, found: str) -> Compared:
    asked = (Statement(expected, 1, "SelectStmt"), Statement(found, 2, "SelectStmt"))
    head = (Path("x.sql"), "x.y", "critical", "x", "m", "h")
    rows = ComparedRows(*head, *asked, samples=False, until_cleanup=False)
    return verify_rows.compare(rows, *pair, keys=9)


def by_text(pair: Pair, query: str) -> list[str]:
    found = pair[0].execute(f"select (t.*)::text from ({query}) t".encode()).fetchall()
    return sorted(text for (text,) in found)


@pytest.mark.parametrize("name", DIFFER)
def test_rows_with_other_text_are_wrong(pair: Pair, name: str) -> None:
    expected, found = DIFFER[name]
    assert by_text(pair, expected) != by_text(pair, found)  # the planted defect is one
    result = compared(pair, expected, found)
    assert (result.verdict, result.unknown) == ("fail", None)
    assert result.wrong >= 1


@pytest.mark.parametrize("name", SAME)
def test_rows_with_the_same_text_are_right(pair: Pair, name: str) -> None:
    expected, found = SAME[name]
    assert by_text(pair, expected) == by_text(pair, found)
    assert compared(pair, expected, found).verdict == "pass"
    assert compared(pair, found, expected).wrong == 0


def test_both_databases_are_asked_at_once(pair: Pair) -> None:
    """Each query waits for the other one: only together do they end."""
    meeting = secrets.randbits(31)
    ask = [f"select 1 as id where pg_temp.met({meeting}, {n}, {3 - n})" for n in (1, 2)]
    for conn in pair:
        conn.execute(MET.encode())
    pair[0].execute("set statement_timeout = '300ms'")
    alone = compared((pair[0], pair[0]), *ask)
    assert "57014" in (alone.unknown or "")  # one after the other they do not
    for conn in pair:
        conn.execute("select pg_advisory_unlock_all()")
        conn.execute("set statement_timeout = '120s'")
    together = compared(pair, *ask)
    for conn in pair:
        conn.execute("select pg_advisory_unlock_all()")
    assert together.unknown is None
    assert (together.expected, together.found) == (1, 1)


def test_an_error_of_either_side_is_told_with_its_reason(pair: Pair) -> None:
    for queries in (("select 1/0", "select 1"), ("select 1", "select 1/0")):
        result = compared(pair, *queries)
        assert result.verdict == "unknown"
        assert "division by zero (SQLSTATE 22012)" in (result.unknown or "")
