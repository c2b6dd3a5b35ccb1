"""A scratch copy of a database, dropped at the end whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
from psycopg import errors, sql

from harness.core.errors import InfrastructureError, Refused
from harness.core.poll import wait_until
from harness.database import admin, temporary
from harness.database.creation import create, making
from harness.database.surroundings import surround, surroundings
from harness.database.template0 import furnish, furniture
from harness.scenario.dry_run import copying
from harness.scenario.dry_run.elsewhere import NoServerError, copy_elsewhere

How = Literal["auto", "template", "dump", "elsewhere"]
COPIES: Final = temporary.Kind("harness_dry_run", "scratch copy of a harness dry run")
_BESIDE: Final = """
SELECT datname FROM pg_catalog.pg_database
WHERE datallowconn AND NOT datistemplate AND datname <> %s
  AND pg_catalog.has_database_privilege(datname, 'CONNECT')
  AND NOT pg_catalog.starts_with(datname, 'harness_')
ORDER BY datname <> 'postgres', datname LIMIT 5
"""


@dataclass(frozen=True)
class Wish:
    """How to copy. `beyond` says why only a server of our own will do, `server` which kind of one,
    `text` what the plan may name on it."""

    how: How = "auto"
    beyond: str | None = None
    server: str = "auto"
    text: str = ""


@dataclass(frozen=True)
class Scratch:
    """A copy to do anything with. `how` says how it was made, `passed_over` why not otherwise.

    `server` is the kind of our own server, empty for the named one; `lacks` says what the database
    has around it and the copy could not get.
    """

    dsn: str
    how: str
    seconds: float
    bytes: int
    server_version: str
    passed_over: tuple[str, ...] = ()
    server: str = ""
    lacks: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> bool:
        """Whether it is on a server of our own, whose speed says little about the named one."""
        return self.how == "elsewhere"


@dataclass(frozen=True)
class _Made:
    dsn: str
    lacks: tuple[str, ...] = ()
    server: str = ""


class _CannotError(Exception):
    """This way of copying is not available; another may be."""


@contextmanager
def scratch(dsn: str, wish: Wish | None = None) -> Iterator[Scratch]:
    """Copy the named database, which is only read; drop the copy when the block ends.

    Taken is the first that can be had: a clone by the server when nobody is connected to the named
    database, a dump restored on its server, a dump restored on a server of our own.
    """
    wish = wish or Wish()
    ways: dict[str, Callable[[ExitStack, str, Wish], _Made]] = {
        "template": _template, "dump": _dump, "elsewhere": _elsewhere,
    }  # fmt: skip
    passed_over: list[str] = []
    if wish.beyond is not None:
        ways = {"elsewhere": _elsewhere}
        passed_over.append(wish.beyond)
    elif wish.how != "auto":
        ways = {wish.how: ways[wish.how]}
    for name, way in ways.items():
        with ExitStack() as attempt:
            began = time.monotonic()
            try:
                made = way(attempt, dsn, wish)
            except _CannotError as reason:
                passed_over.append(f"{name}: {reason}")
                continue
            seconds = time.monotonic() - began
            yield _described(made, name, seconds, tuple(passed_over))
            return
    raise Refused(
        f"the database cannot be copied: {'; '.join(passed_over)}",
        hint="connect as a role that may create databases and read all tables",
    )


def _described(made: _Made, how: str, seconds: float, passed_over: tuple[str, ...]) -> Scratch:
    with admin.connection(made.dsn) as conn:
        row: Any = conn.execute(
            "select pg_database_size(current_database()), current_setting('server_version')"
        ).fetchone()
    size, version = int(row[0]), str(row[1])
    return Scratch(
        made.dsn, how, round(seconds, 3), size, version, passed_over, made.server, made.lacks
    )


def _template(stack: ExitStack, dsn: str, _: Wish) -> _Made:
    """CREATE DATABASE … TEMPLATE: whoever connects meanwhile waits, so only while nobody is."""
    beside = _beside(dsn)
    source = admin.dbname(dsn)
    with admin.connection(beside) as conn:
        _may_create(conn)
        if not _alone(conn, source):
            raise _CannotError("other sessions are connected to it")
        name = stack.enter_context(temporary.reserved(beside, COPIES))
        temporary.noticing(conn)
        _created(
            lambda: conn.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(source)
                )
            )
        )
        lacks = surround(conn, name, surroundings(conn, source), limits=_unlimited(conn))
    return _Made(admin.with_dbname(dsn, name), lacks)


def _dump(stack: ExitStack, dsn: str, _: Wish) -> _Made:
    """A dump of the named database restored on its own server."""
    source = admin.dbname(dsn)
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        _may_create(conn)
        has, around = furniture(conn), surroundings(conn, source)
        name = stack.enter_context(temporary.reserved(dsn, COPIES))
        temporary.noticing(conn)
        _created(lambda: create(conn, name, making(conn, source), around.tablespace))
        lacks = surround(conn, name, around, limits=_unlimited(conn))
    target = admin.with_dbname(dsn, name)
    try:
        with admin.connection(target) as conn:
            admin.writable(conn)
            furnish(conn, has)
        copying.copy(dsn, target)
    except (copying.NotRestoredError, psycopg.Error) as error:
        raise _CannotError(_words(error)) from error
    return _Made(target, lacks)


def _elsewhere(stack: ExitStack, dsn: str, wish: Wish) -> _Made:
    """A dump of the named database restored on a server of our own, of the same version."""
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        if not _is_standby(conn):
            temporary.tidy(conn, COPIES)
    try:
        made = copy_elsewhere(stack, dsn, wish.server, wish.text)
    except NoServerError as error:
        raise _CannotError(str(error)) from error
    return _Made(made.dsn, made.lacks, made.server)


def _created(statement: Callable[[], object]) -> None:
    """Run a CREATE DATABASE; whatever the server says against it, another way may be had."""
    try:
        statement()
    except errors.DiskFull as error:
        raise InfrastructureError(_words(error), hint="a copy needs as much space") from error
    except psycopg.Error as error:
        raise _CannotError(_words(error)) from error


def _beside(dsn: str) -> str:
    """DSN of another database on the same server, so that nobody is connected to the named one.

    Never a template: who is connected to one keeps everybody from making databases of it.
    """
    with admin.connection(dsn) as conn:
        rows = conn.execute(_BESIDE, [admin.dbname(dsn)]).fetchall()
    why = "there is none"
    for (name,) in rows:
        other = admin.with_dbname(dsn, name)
        try:
            admin.connect(other, application_name="dry run").close()
        except InfrastructureError as error:
            why = error.message
            continue
        return other
    raise _CannotError(f"no other database of the server lets us in: {why}")


def _alone(conn: psycopg.Connection[Any], name: str) -> bool:
    """Whether nobody is connected; our own session ends a moment after we closed it."""

    def nobody() -> bool:
        row: Any = conn.execute(
            "select count(*) from pg_stat_activity where datname = %s"
            " and backend_type is distinct from 'autovacuum worker'",
            [name],
        ).fetchone()
        return not row[0]

    try:
        return wait_until(nobody, 1, f"the end of all sessions of {name!r}", pause=0.05)
    except TimeoutError:
        return False


def _may_create(conn: psycopg.Connection[Any]) -> None:
    row: Any = conn.execute(
        "select rolcreatedb or rolsuper, pg_is_in_recovery() from pg_roles"
        " where rolname = current_user"
    ).fetchone()
    if row[1]:
        raise _CannotError("the server is a standby, which makes no databases")
    if not row[0]:
        raise _CannotError("the role may not create databases")


def _is_standby(conn: psycopg.Connection[Any]) -> bool:
    row: Any = conn.execute("select pg_is_in_recovery()").fetchone()
    return bool(row[0])


def _unlimited(conn: psycopg.Connection[Any]) -> bool:
    """Whether a limit of connections does not hold for us, so that the copy may have it."""
    row: Any = conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    return bool(row[0])


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())
