"""A statement tried on both databases and taken back: its rows, or the SQLSTATE it fails with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.artifact.inside.model import Connection, DatabasePair, InsideOutcome
from harness.core.sqlstate import CONNECTION_FAILURE, QUERY_CANCELED

SHOWN: Final = 5
MOST_ROWS: Final = 50_000


@dataclass(frozen=True)
class StatementTrial:
    """What a statement came to: how many rows, which, what the server said; or why it failed."""

    rows: int = 0
    result: tuple[tuple[str | None, ...], ...] = ()
    notices: tuple[str, ...] = ()
    sqlstate: str = ""
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the server refused it."""
        return bool(self.sqlstate)


@dataclass(frozen=True)
class Comparison:
    """Two trials compared: the outcome, why, the SQLSTATE, and what shows it."""

    outcome: InsideOutcome
    reason: str = ""
    sqlstate: str = ""
    evidence: tuple[str, ...] = ()


@contextmanager
def taken_back(conn: Connection, timeout: float) -> Iterator[Connection]:
    """A transaction with a time limit, of which nothing remains."""
    with conn.transaction(force_rollback=True):
        limit = sql.SQL("set local statement_timeout = {}").format(int(timeout * 1000))
        conn.execute(limit)
        conn.execute("set local lock_timeout = '2s'")
        yield conn


def try_statement(
    conn: Connection, text: str, timeout: float, before: Sequence[str] = ()
) -> StatementTrial:
    """Run one statement, after others that prepare the session; take back all of it."""
    said: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        said.append(notice.message_primary or "")

    conn.add_notice_handler(hear)
    try:
        with taken_back(conn, timeout):
            for one in before:
                conn.execute(one.encode())
            said.clear()
            cursor = conn.cursor()
            cursor.execute(text.encode())
            return StatementTrial(max(cursor.rowcount, 0), _result(cursor), tuple(said))
    except psycopg.Error as error:
        message = error.diag.message_primary or " ".join(str(error).split())
        return StatementTrial(sqlstate=error.sqlstate or CONNECTION_FAILURE, message=message)
    finally:
        conn.remove_notice_handler(hear)


def _result(cursor: psycopg.Cursor[Any]) -> tuple[tuple[str | None, ...], ...]:
    found = cursor.pgresult
    if cursor.description is None or found is None:
        return ()
    rows = range(min(found.ntuples, MOST_ROWS))
    return tuple(
        tuple(_text(found.get_value(row, n)) for n in range(found.nfields)) for row in rows
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def try_both(
    pair: DatabasePair, text: str, before: Sequence[str] = ()
) -> tuple[StatementTrial, StatementTrial, Comparison]:
    """Try a statement on both databases; what it gives by itself another time is unknown."""
    first = try_statement(pair.before, text, pair.timeout, before)
    second = try_statement(pair.after, text, pair.timeout, before)
    found = compare_trials(first, second)
    if found.outcome == "differs":
        again = try_statement(pair.before, text, pair.timeout, before)
        if compare_trials(first, again).outcome != "same":
            return first, second, Comparison("unknown", "it gives another result each time")
    return first, second, found


def compare_trials(first: StatementTrial, second: StatementTrial) -> Comparison:
    """What a statement does after the migration, beside what it did before."""
    if QUERY_CANCELED in (first.sqlstate, second.sqlstate):
        return Comparison("unknown", "it took longer than it may", QUERY_CANCELED)
    if first.failed:
        return Comparison(
            "unknown",
            f"it fails before the migration already: {first.message} ({first.sqlstate})",
            first.sqlstate,
        )
    if second.failed:
        return Comparison(
            "cannot", f"after the migration: {second.message} ({second.sqlstate})", second.sqlstate
        )
    if second.notices != first.notices:
        new = [one for one in second.notices if one not in first.notices]
        if new:
            return Comparison("silent", f"the server does nothing and says: {new[0]}")
    if first.rows != second.rows:
        return Comparison("differs", f"{first.rows} rows before, {second.rows} after")
    return _compare_rows(first, second)


def _compare_rows(first: StatementTrial, second: StatementTrial) -> Comparison:
    was, now = Counter(first.result), Counter(second.result)
    if was == now:
        return Comparison("same")
    lost, came = was - now, now - was
    lines = (*_lines("-", lost), *_lines("+", came))
    reason = f"{lost.total()} rows are gone, {came.total()} are new"
    return Comparison("differs", reason, evidence=lines)


def _lines(sign: str, rows: Counter[tuple[str | None, ...]]) -> Iterator[str]:
    ordered = sorted(rows, key=repr)
    for row in ordered[:SHOWN]:
        yield f"{sign} {', '.join('null' if value is None else value for value in row)}"[:300]
    if len(ordered) > SHOWN:
        yield f"{sign} … {len(ordered) - SHOWN} more"
