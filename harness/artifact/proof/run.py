"""One statement run on a clone: read-only, with a time limit, as a role that may only read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import pq, sql

from harness.core.errors import UsageError
from harness.core.sqlstate import (
    CONFIGURATION_LIMIT_EXCEEDED,
    CONNECTION_FAILURE,
    FEATURE_NOT_SUPPORTED,
)
from harness.database import admin

MOST_ROWS: Final = 200_000
_GRANT: Final = "grant pg_read_all_data to {}"


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result, and the column of a relation that it comes from (0, 0: none)."""

    name: str
    relation: int
    number: int


@dataclass(frozen=True)
class QueryResult:
    """What a query gave, as text; or the SQLSTATE with the server's word where it could not."""

    columns: tuple[ResultColumn, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    sqlstate: str = ""
    message: str = ""
    position: int | None = None

    @property
    def failed(self) -> bool:
        """Whether the server refused it."""
        return bool(self.sqlstate)


@dataclass(frozen=True)
class ReaderRole:
    """A login role that reads everything and can do nothing else; `role` is what it becomes."""

    name: str
    password: str = field(repr=False)
    role: str | None = None


@contextmanager
def reader_role(server_dsn: str, role: str | None) -> Iterator[ReaderRole]:
    """A role for the length of a block, on a server of our own.

    A text from a file is not run as a superuser, who may read and write files of this machine.
    """
    name = admin.unique_name("harness_impact_reader")
    password = secrets.token_hex(16)
    identifier = sql.Identifier(name)
    with admin.connection(server_dsn) as conn:
        made = sql.SQL("create role {} login bypassrls password {}")
        conn.execute(made.format(identifier, sql.Literal(password)))
        try:
            if role is None:
                conn.execute(sql.SQL(_GRANT).format(identifier))
            else:
                _grant_role(conn, role, identifier)
            yield ReaderRole(name, password, role)
        finally:
            conn.execute(sql.SQL("drop role {}").format(identifier))


def _grant_role(conn: psycopg.Connection[Any], role: str, to: sql.Identifier) -> None:
    try:
        conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), to))
    except psycopg.errors.UndefinedObject:
        reason = f"the migrated database has no role {role!r}"
        raise UsageError(reason, where="--role", hint="name one that the baseline makes") from None


class ReadSession:
    """A session on a clone in which single statements are run, each in a transaction of its own."""

    def __init__(self, dsn: str, reader: ReaderRole, timeout: float) -> None:
        self._dsn = dsn
        self._reader = reader
        self._timeout = timeout
        self._conn: psycopg.Connection[Any] | None = None

    def run(self, statement: str) -> QueryResult:
        """Run one statement; whatever it does to the session ends with it."""
        conn = self._connection()
        try:
            result = conn.pgconn.exec_params(statement.encode(), None)
        except (psycopg.Error, UnicodeEncodeError) as error:
            self.close()
            return QueryResult(sqlstate=CONNECTION_FAILURE, message=" ".join(str(error).split()))
        found = _read(result)
        if conn.pgconn.status != pq.ConnStatus.OK:
            self.close()
        else:
            conn.pgconn.exec_(b"rollback")
            conn.pgconn.exec_(b"discard all")
        return found

    def close(self) -> None:
        """End the session."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _connection(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = admin.connect(
                self._dsn, user=self._reader.name, password=self._reader.password,
                prepare_threshold=None,  # DISCARD ALL forgets what is prepared
            )  # fmt: skip
        conn = self._conn
        # what the data source of a dashboard has: the server's defaults, and UTC
        conn.execute("set timezone = 'UTC'; set extra_float_digits = 0")
        conn.execute("begin read only")
        conn.execute(f"set local statement_timeout = {int(self._timeout * 1000)}".encode())
        if self._reader.role is not None:
            conn.execute(sql.SQL("set local role {}").format(sql.Identifier(self._reader.role)))
        return conn


def _read(result: pq.abc.PGresult) -> QueryResult:
    if result.status != pq.ExecStatus.TUPLES_OK:
        field = result.error_field(pq.DiagnosticField.SQLSTATE)
        said = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"it gives no rows"
        place = result.error_field(pq.DiagnosticField.STATEMENT_POSITION)
        return QueryResult(
            sqlstate=field.decode() if field else FEATURE_NOT_SUPPORTED,
            message=said.decode("utf-8", "replace"),
            position=int(place) if place else None,
        )
    if result.ntuples > MOST_ROWS:
        return QueryResult(
            sqlstate=CONFIGURATION_LIMIT_EXCEEDED, message=f"it gives more than {MOST_ROWS:,} rows"
        )
    columns = tuple(
        ResultColumn(
            (result.fname(n) or b"").decode("utf-8", "replace"),
            result.ftable(n),
            result.ftablecol(n),
        )
        for n in range(result.nfields)
    )
    rows = tuple(
        tuple(_text(result.get_value(row, n)) for n in range(result.nfields))
        for row in range(result.ntuples)
    )
    return QueryResult(columns, rows)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
