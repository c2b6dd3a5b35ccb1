"""A trial: write on a migrated database, note what does not behave, and take everything back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from ..support import Conn, scalar

CHECK = ("23514",)
UNIQUE = ("23505",)
REFUSED = ("23514", "P0001", "22001", "23502")  # what a rule, a trigger or a type may answer


class Trial:
    """Writes to one database inside a transaction that is rolled back; collects findings."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn
        self.findings: list[str] = []

    def value(self, query: str, *params: Any) -> Any:
        """The first value of a query."""
        return scalar(self.conn, query, params or None)

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row; its id."""
        query = _insertion(table, values) + sql.SQL(" returning id")
        row = self.conn.execute(query, list(values.values())).fetchone()
        assert row is not None
        return int(row[0])

    def insert_unseen(self, table: str, **values: Any) -> None:
        """Insert a row without reading it back, so that no policy for reading has a say."""
        self.conn.execute(_insertion(table, values), list(values.values()))

    def update(self, table: str, key: int, **values: Any) -> None:
        """Set columns of the row `key`."""
        pairs = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values]
        query = sql.SQL("update public.{} set {} where id = %s").format(
            sql.Identifier(table), sql.SQL(", ").join(pairs)
        )
        self.conn.execute(query, [*values.values(), key])

    def delete(self, table: str, key: int) -> None:
        """Delete the row `key`."""
        query = sql.SQL("delete from public.{} where id = %s").format(sql.Identifier(table))
        self.conn.execute(query, [key])

    def get(self, table: str, key: int, *names: str) -> Any:
        """One value of the row `key`, or a tuple of several; None when there is no row."""
        fields = sql.SQL(", ").join(map(sql.Identifier, names))
        query = sql.SQL("select {} from public.{} where id = %s").format(
            fields, sql.Identifier(table)
        )
        row = self.conn.execute(query, [key]).fetchone()
        return row[0] if row and len(names) == 1 else row

    def same(self, claim: str, actual: Any, expected: Any) -> None:
        """Note it when a value is not what it should be."""
        if actual != expected:
            self.findings.append(f"{claim}: {actual!r}, expected {expected!r}")

    @contextmanager
    def refused(self, claim: str, states: tuple[str, ...] = REFUSED) -> Iterator[None]:
        """Note it when the block is not refused with one of the SQLSTATEs."""
        try:
            with self.conn.transaction(force_rollback=True):
                yield
        except psycopg.Error as error:
            if error.sqlstate not in states:
                self.findings.append(f"{claim}: refused with {error.sqlstate}, not {states}")
        else:
            self.findings.append(f"{claim}: accepted, should be refused")

    @contextmanager
    def accepted(self, claim: str) -> Iterator[None]:
        """Note it when the block is refused; what it wrote is taken back."""
        try:
            with self.conn.transaction(force_rollback=True):
                yield
        except psycopg.Error as error:
            self.findings.append(f"{claim}: refused: {error}".splitlines()[0])

    # What most trials need.

    def company(self, **values: Any) -> int:
        """A new company."""
        return self.insert("companies", **{"name": "Trial & Sons", **values})

    def contact(self, **values: Any) -> int:
        """A new contact."""
        return self.insert("contacts", **{"first_name": "Tria", "last_name": "L'Essai", **values})

    def opportunity(self, **values: Any) -> int:
        """A new opportunity."""
        return self.insert("opportunities", **{"name": "A trial", **values})

    def activity(self, **values: Any) -> int:
        """A new activity; it needs a contact or an organization."""
        plain = {"activity_type": "engagement", "type": "call", "subject": "Trial"}
        return self.insert("activities", **{**plain, **values})


def _insertion(table: str, values: dict[str, Any]) -> sql.Composed:
    return sql.SQL("insert into public.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )


@contextmanager
def trial(conn: Conn) -> Iterator[Trial]:
    """A trial on `conn`; a refusal nobody expected is a finding too."""
    attempt = Trial(conn)
    try:
        with conn.transaction(force_rollback=True):
            yield attempt
    except psycopg.Error as error:
        attempt.findings.append(f"refused: {error}".splitlines()[0])
