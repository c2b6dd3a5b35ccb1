"""Run check files on one snapshot of a database, in a transaction that can write nothing."""

# ruff: noqa: S608 - the queries are those of the plan's own check files, parsed before

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from harness.check.checkfile import CheckFile
from harness.core.errors import UsageError
from harness.core.sqlstate import (
    AMBIGUOUS_COLUMN,
    AMBIGUOUS_FUNCTION,
    DATATYPE_MISMATCH,
    INVALID_COLUMN_REFERENCE,
    LOCK_NOT_AVAILABLE,
    SYNTAX_ERROR,
    UNDEFINED_FUNCTION,
)
from harness.database import pinned
from harness.database.admin import connection

Connection = psycopg.Connection[Any]
BROKEN = frozenset(
    {
        SYNTAX_ERROR,
        INVALID_COLUMN_REFERENCE,
        AMBIGUOUS_COLUMN,
        UNDEFINED_FUNCTION,
        DATATYPE_MISMATCH,
        AMBIGUOUS_FUNCTION,
    }
)
"""Mistakes in the check's own query, whatever the database holds."""


@dataclass(frozen=True)
class CheckResult:
    """What one check found: how many rows, the first few, or why it could not be judged."""

    check: CheckFile
    count: int = 0
    rows: int | None = None
    keys: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    unknown: str | None = None

    @property
    def percent(self) -> float | None:
        """The share of the relation's rows that are wrong."""
        return percent(self.count, self.rows)

    @property
    def tolerated(self) -> bool:
        """Whether so few rows are wrong that the check file calls it ordinary life."""
        if not self.check.tolerate or self.rows is None:
            return False
        return self.count <= max(1, int(self.rows * self.check.tolerate / 100))


def percent(count: int, rows: int | None) -> float | None:
    """A share in percent, or None of no rows."""
    return round(min(100.0, 100 * count / rows), 3) if rows else None


@contextmanager
def reading(dsn: str, *, timeout: float, name: str) -> Iterator[Connection]:
    """A connection in one read-only snapshot, set up as the plan's scripts are."""
    with connection(dsn, application_name=f"harness {name}") as conn:
        pinned.pin(conn)
        conn.execute("begin isolation level repeatable read read only")
        for key, value in (
            ("search_path", ""),
            ("timezone", "UTC"),
            ("row_security", "off"),
            ("statement_timeout", str(int(timeout * 1000))),
            ("lock_timeout", "2s"),
        ):
            conn.execute("select pg_catalog.set_config(%s, %s, true)", (key, value))
        try:
            yield conn
        finally:
            if not conn.closed:
                conn.rollback()


class CheckRunner:
    """Runs checks and counts relations, each once."""

    def __init__(self, conn: Connection, keys: int) -> None:
        self._conn = conn
        self._keys = keys
        self.rows: dict[str, int | None] = {}

    def judge(self, checks: Iterable[CheckFile]) -> list[CheckResult]:
        """The result of every check; one that cannot be run is unknown, never passed."""
        return [self._one(check) for check in checks]

    def _one(self, check: CheckFile) -> CheckResult:
        try:
            with self._conn.transaction():
                rows = self.count(check.relation) if check.relation else None
                found = self._conn.execute(_first_rows(check).encode(), (self._keys,)).fetchall()
        except psycopg.OperationalError as error:
            if self._conn.broken:
                raise
            if (
                error.sqlstate == LOCK_NOT_AVAILABLE
            ):  # one wait for somebody's lock, not one for each check
                self._conn.execute("select pg_catalog.set_config('lock_timeout', '50ms', true)")
            return CheckResult(check, unknown=_reason(error))
        except psycopg.Error as error:
            if error.sqlstate in BROKEN:
                raise UsageError(
                    f"the query fails: {_reason(error)}", where=_line(check, error)
                ) from None
            return CheckResult(check, unknown=_reason(error))
        return CheckResult(
            check=check,
            count=found[0][0] if found else 0,
            rows=rows,
            keys=tuple("NULL" if row[1] is None else str(row[1]) for row in found),
            details=tuple(str(row[2]) for row in found if row[2] is not None),
        )

    def count(self, relation: str) -> int | None:
        """How many rows a relation has."""
        if relation not in self.rows:
            query = f"select count(*) from {relation}"
            row = self._conn.execute(query.encode()).fetchone()
            self.rows[relation] = row[0] if row else None
        return self.rows[relation]

    def together(self, checks: Iterable[CheckFile]) -> int:
        """How many different rows of one relation these checks find."""
        parts = [f"select key::text from (\n{check.sql}\n) as wrong" for check in checks]
        query = "select count(distinct key) from (\n" + "\nunion all\n".join(parts) + "\n) as w"
        row = self._conn.execute(query.encode()).fetchone()
        return row[0] if row else 0


PREFIX = "select count(*) over (), key::text, {detail} from (\n"


def _first_rows(check: CheckFile) -> str:
    detail = "detail::text" if check.has_detail else "null::text"
    query = check.sql.replace("%", "%%")
    return f"{PREFIX.format(detail=detail)}{query}\n) as wrong order by wrong.key limit %s"


def _reason(error: psycopg.Error) -> str:
    first = " ".join(str(error.diag.message_primary or error).split())
    return f"{first} (SQLSTATE {error.sqlstate})" if error.sqlstate else first


def _line(check: CheckFile, error: psycopg.Error) -> str:
    """File and line of what the server points at."""
    position = error.diag.statement_position
    if not position:
        return check.where
    before = _first_rows(check).replace("%%", "%")[: int(position)]
    return f"{check.path}:{check.line + max(0, before.count(chr(10)) - 1)}"
