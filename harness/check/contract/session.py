"""How a driver asks: psycopg, and SQLAlchemy over it; as a role, with the API's settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import psycopg

from harness.core.extras import require_extra
from harness.database import limits
from harness.server.session import session

if TYPE_CHECKING:
    import sqlalchemy

Mode = Literal["read", "keep", "try"]
SETTINGS: Final = {"search_path": "", "timezone": "Asia/Kathmandu"}
"""Names are written out; a zone that is nobody's default shows what depends on one."""


CONNECTED: Final = "the connecting role"
"""Who asks where neither the contract nor the project file names a role."""


@dataclass(frozen=True)
class Actor:
    """Who asks: a role, and the settings that the API makes for it, such as claims."""

    role: str
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a statement gave: columns with their types, rows, how many; or the error's SQLSTATE."""

    columns: tuple[tuple[str, int], ...] | None = ()
    """None where the client cannot tell them: JSON without a row has no names."""
    rows: tuple[tuple[str | None, ...], ...] = ()
    count: int = -1
    sqlstate: str | None = None
    message: str = field(default="", compare=False)


class AskFailedError(Exception):
    """The server refused a statement, whatever the client wraps that in."""

    def __init__(self, error: BaseException | None) -> None:
        self.sqlstate = getattr(error, "sqlstate", None) or "?????"
        super().__init__(" ".join(str(error).split()))


class ClientSession(Protocol):
    """One client on one database."""

    def acting(self, actor: Actor, mode: Mode) -> AbstractContextManager[None]:
        """One transaction as somebody: read only, kept, or tried. AskFailedError at its end."""

    def ask(self, statement: str, params: dict[str, Any]) -> Answer:
        """Run one statement; AskFailedError when the server refuses it."""

    def seen(self, row: Sequence[Any]) -> tuple[str | None, ...]:
        """A row as text; the times at which this session's transactions began are masked."""


class Provider(Protocol):
    """A kind of client."""

    name: str

    def session(self, dsn: str) -> AbstractContextManager[ClientSession]:
        """Connect."""


class Masking:
    """A transaction's own time is another on every run: it is said as whose time it is."""

    def __init__(self) -> None:
        self.moments: dict[str, str] = {}
        self.noted = 0

    def note(self, *spelled: str | None) -> None:
        """A transaction begins at this moment, in all the spellings in which it may come back."""
        for one in spelled:
            self.moments[one or ""] = f"now of transaction {self.noted}"
        self.noted += 1

    def answer(self, statement: str, description: Any, rows: list[Any], count: int) -> Answer:
        """What a driver gave, as texts."""
        columns = tuple((column[0], column[1]) for column in description or ())
        found = [self.seen(row) for row in rows]
        if not statement.lower().startswith(("select", "with", "table")):
            found.sort(key=repr)  # the order of RETURNING is nobody's promise
        return Answer(columns, tuple(found), count)

    def seen(self, row: Sequence[Any]) -> tuple[str | None, ...]:
        """As `ClientSession` promises."""
        texts = (plain(value) for value in row)
        return tuple(None if text is None else self.moments.get(text, text) for text in texts)


class PsycopgSession(Masking):
    """Through psycopg."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        super().__init__()
        self.conn = conn

    @contextmanager
    def acting(self, actor: Actor, mode: Mode) -> Iterator[None]:
        """As `ClientSession` promises."""
        try:
            with self.conn.transaction(force_rollback=mode != "keep"):
                for name, value in request_settings(actor, mode).items():
                    self.conn.execute("select pg_catalog.set_config(%s, %s, true)", [name, value])
                self.note(plain(self.conn.execute("select now()").fetchall()[0][0]))
                yield
        except psycopg.Error as error:
            raise AskFailedError(error) from error

    def ask(self, statement: str, params: dict[str, Any]) -> Answer:
        """As `ClientSession` promises."""
        try:
            cursor = self.conn.execute(statement.encode(), params)
            rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise AskFailedError(error) from error
        return self.answer(statement, cursor.description, rows, cursor.rowcount)


class SqlalchemySession(Masking):
    """Through SQLAlchemy: its dialect, its types, its transactions."""

    def __init__(self, conn: sqlalchemy.Connection) -> None:
        super().__init__()
        self.conn = conn

    @contextmanager
    def acting(self, actor: Actor, mode: Mode) -> Iterator[None]:
        """As `ClientSession` promises."""
        import sqlalchemy
        from sqlalchemy.exc import DBAPIError

        try:
            with self.conn.begin() as transaction:
                config = sqlalchemy.text("select pg_catalog.set_config(:name, :value, true)")
                for name, value in request_settings(actor, mode).items():
                    self.conn.execute(config, {"name": name, "value": value})
                self.note(plain(self.conn.execute(sqlalchemy.text("select now()")).scalar_one()))
                yield
                if mode != "keep":
                    transaction.rollback()
        except DBAPIError as error:
            raise AskFailedError(error.orig) from error

    def ask(self, statement: str, params: dict[str, Any]) -> Answer:
        """As `ClientSession` promises."""
        from sqlalchemy.exc import DBAPIError

        try:
            result = self.conn.exec_driver_sql(statement, params)
            description = result.cursor.description if result.cursor is not None else None
            count = result.rowcount
            rows = list(result.fetchall()) if result.returns_rows else []
        except DBAPIError as error:
            raise AskFailedError(error.orig) from error
        return self.answer(statement, description, rows, count)


class Psycopg:
    """The provider of psycopg sessions."""

    name = "psycopg"

    @contextmanager
    def session(self, dsn: str) -> Iterator[PsycopgSession]:
        """Connect."""
        with session(dsn) as conn:
            prepare_session(conn)
            yield PsycopgSession(conn)


class Sqlalchemy:
    """The provider of SQLAlchemy sessions."""

    name = "sqlalchemy"

    @contextmanager
    def session(self, dsn: str) -> Iterator[SqlalchemySession]:
        """Connect."""
        with engine(dsn) as made, made.connect() as conn:
            yield SqlalchemySession(conn)


@contextmanager
def engine(dsn: str) -> Iterator[sqlalchemy.Engine]:
    """A SQLAlchemy engine on a libpq DSN, closed at the end.

    Raises InfrastructureError where SQLAlchemy is not installed.
    """
    require_extra("contract", "a client that asks through SQLAlchemy")
    import sqlalchemy

    def connect() -> psycopg.Connection[Any]:
        conn = session(dsn)
        prepare_session(conn)
        conn.autocommit = False
        return conn

    made = sqlalchemy.create_engine("postgresql+psycopg://", creator=connect)
    try:
        yield made
    finally:
        made.dispose()


def plain(value: Any) -> str | None:
    """A client's value as text, the same whichever client gave it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def prepare_session(conn: psycopg.Connection[Any]) -> None:
    """Make a session as a contract wants it: no limits, names written out, nobody's zone."""
    limits.take_off(conn)
    for name, value in SETTINGS.items():
        conn.execute("select pg_catalog.set_config(%s, %s, false)", [name, value])


def request_settings(actor: Actor, mode: Mode) -> dict[str, str]:
    """What the API sets for a request; a read writes nothing, whatever it is."""
    settings = dict(actor.claims)
    if actor.role != CONNECTED:
        settings["role"] = actor.role
    return {"transaction_read_only": "on", **settings} if mode == "read" else settings
