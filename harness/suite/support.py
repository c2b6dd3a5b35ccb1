"""What suites share: connections, rows by key, and differences said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
Conn = psycopg.Connection[Any]
CloneFactory = Callable[[str], str]
TemplateFactory = Callable[..., str]
SHOWN = 5  # differences named before the rest is only counted
FEW = 60  # rows where the schema is what is looked at
SMALL = 300  # rows where a test needs every kind of row but not many


@dataclass(frozen=True)
class Pair:
    """The database as it was before the migration and as it is after it."""

    source: Conn
    target: Conn


Check = Callable[[Pair], list[str]]


@contextmanager
def connected(dsn: str) -> Iterator[Conn]:
    """A connection that commits each statement; dates and search path are nobody's default."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SET timezone = 'Asia/Kathmandu'")
        conn.execute("SET search_path = ''")
        yield conn


@contextmanager
def paired(source: str, target: str) -> Iterator[Pair]:
    """Both databases of a pair, connected."""
    with connected(source) as before, connected(target) as after:
        yield Pair(before, after)


def records(conn: Conn, query: str, params: Any = None) -> list[Row]:
    """Every row of a query as a dictionary."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, params).fetchall()


def scalar(conn: Conn, query: str, params: Any = None) -> Any:
    """The first column of the first row; None when there is no row."""
    row = conn.execute(query, params).fetchone()
    return row[0] if row else None


def column(conn: Conn, query: str, params: Any = None) -> list[Any]:
    """The first column of every row."""
    return [row[0] for row in conn.execute(query, params)]


def keyed(found: list[Row], key: str = "id") -> dict[Any, Row]:
    """Rows by one of their columns."""
    return {row[key]: row for row in found}


def row_differences(
    label: str, expected: Mapping[Any, Row], actual: Mapping[Any, Row]
) -> list[str]:
    """What differs between two sets of rows: missing, unexpected, and columns that disagree."""
    found = [f"{label} {key}: row is missing" for key in expected.keys() - actual.keys()]
    found += [f"{label} {key}: unexpected row" for key in actual.keys() - expected.keys()]
    for key in expected.keys() & actual.keys():
        want, have = expected[key], actual[key]
        if want != have:
            found += [
                f"{label} {key}: {name} is {_brief(have.get(name))}, expected {_brief(want[name])}"
                for name in want
                if name not in have or have[name] != want[name]
            ]
    return shortened(found)


def set_differences(label: str, expected: Any, actual: Any) -> list[str]:
    """What is missing from or unexpected in a set."""
    want, have = set(expected), set(actual)
    found = [f"{label}: {item} is missing" for item in sorted(want - have, key=str)]
    return found + [f"{label}: {item} is unexpected" for item in sorted(have - want, key=str)]


def shortened(found: list[str]) -> list[str]:
    """The first few findings and the number of the rest."""
    if len(found) <= SHOWN:
        return found
    return [*found[:SHOWN], f"… and {len(found) - SHOWN} more"]


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
