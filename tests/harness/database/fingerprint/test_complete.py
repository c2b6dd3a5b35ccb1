"""Every column of every catalog is read by the fingerprint, or declared with a reason."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import psycopg
import pytest

from harness.database.fingerprint.layout import SQL
from harness.server import Server

PAGE = Path(__file__).parents[4] / "docs" / "fingerprint.md"
ROW = re.compile(r"^\| `(?P<patterns>[^|]+)` \| (?P<reason>[^|]+) \|$")
COLUMNS = """
select c.relname || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and a.attnum > 0
order by 1
"""


def declared() -> dict[str, str]:
    """What the page leaves out -> why: patterns like `pg_class.relpages`, `pg_statistic.*`."""
    text = PAGE.read_text().partition("## What is left out")[2].partition("\n## ")[0]
    rows = [match for line in text.splitlines() if (match := ROW.match(line))]
    return {pattern: row["reason"] for row in rows for pattern in row["patterns"].split("`, `")}


def read() -> str:
    """All that the fingerprint asks for."""
    files = [*SQL.glob("*.sql"), *SQL.glob("*/*.sql")]
    return re.sub(r"--.*", "", "\n".join(path.read_text() for path in files))


@pytest.fixture(scope="module")
def columns(harness_server: Server) -> list[str]:
    with psycopg.connect(harness_server.dsn()) as conn:
        return [name for (name,) in conn.execute(COLUMNS)]


def unread(columns: list[str]) -> list[str]:
    """The columns that the fingerprint does not ask for."""
    words = set(re.findall(r"\w+", read()))
    return [name for name in columns if not set(name.split(".")) <= words]


def test_every_column_of_every_catalog_is_read_or_declared(columns: list[str]) -> None:
    patterns = declared()
    assert [n for n in unread(columns) if not any(fnmatchcase(n, p) for p in patterns)] == []


def test_nothing_is_declared_in_vain(columns: list[str]) -> None:
    left = unread(columns)
    there = [one for one in declared() if any(fnmatchcase(name, one) for name in columns)]
    assert [one for one in there if not any(fnmatchcase(name, one) for name in left)] == []


def test_a_column_that_is_new_in_a_catalog_is_missed(columns: list[str]) -> None:
    with pytest.raises(AssertionError, match="relnew"):
        test_every_column_of_every_catalog_is_read_or_declared([*columns, "pg_class.relnew"])


def test_every_way_to_depend_on_an_extension_is_known(harness_server: Server) -> None:
    with psycopg.connect(harness_server.dsn()) as conn:
        found = {kind for (kind,) in conn.execute("select distinct deptype::text from pg_depend")}
    # n, a, i, P, S come with what is compared; e: belongs to an extension; x: goes with one
    assert found <= {"n", "a", "i", "P", "S", "e", "x"}
    assert "deptype in ('e', 'x')" in read()
