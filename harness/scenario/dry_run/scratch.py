"""A scratch copy of a database, dropped at the end whatever happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

import psycopg
from psycopg import errors, sql

from harness.database import admin, temporary
from harness.errors import HarnessError, InfrastructureError, Refused
from harness.poll import wait_until
from harness.scenario.dry_run import copying

How = Literal["auto", "template", "dump", "elsewhere"]
COPIES: Final = temporary.Kind("harness_dry_run", "scratch copy of a harness dry run")
_MAINTENANCE: Final = ("postgres", "template1")


@dataclass(frozen=True)
class Scratch:
    """A copy to do anything with. `how` says how it was made, `passed_over` why not otherwise."""

    dsn: str
    how: str
    seconds: float
    bytes: int
    server_version: str
    passed_over: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> bool:
        """Whether it is on a server of our own, whose speed says little about the named one."""
        return self.how == "elsewhere"


class _CannotError(Exception):
    """This way of copying is not to be had; the next may be."""


@contextmanager
def scratch(dsn: str, how: How = "auto", beyond: str | None = None) -> Iterator[Scratch]:
    """Copy the named database, which is only read; drop the copy when the block ends.

    Taken is the first that can be had: a clone by the server when nobody is connected to the named
    database, a dump restored on its server, a dump restored on a server of our own. `beyond` names
    a statement of the plan that only the last is safe for.
    """
    with ExitStack() as stack:
        passed_over: list[str] = []
        ways = {"template": _template, "dump": _dump, "elsewhere": _elsewhere}
        if beyond is not None:
            ways = {"elsewhere": _elsewhere}
            passed_over.append(f"{beyond} changes what all databases of the server share")
        elif how != "auto":
            ways = {how: ways[how]}
        for name, way in ways.items():
            with ExitStack() as attempt:
                began = time.monotonic()
                try:
                    made = way(attempt, dsn)
                except _CannotError as reason:
                    passed_over.append(f"{name}: {reason}")
                    continue
                stack.push(attempt.pop_all().__exit__)
                seconds = time.monotonic() - began
                yield _described(made, name, seconds, tuple(passed_over))
                return
        raise Refused(
            f"the database cannot be copied: {'; '.join(passed_over)}",
            hint="connect as a role that may create databases and read all tables",
        )


def _described(dsn: str, how: str, seconds: float, passed_over: tuple[str, ...]) -> Scratch:
    with admin.connection(dsn) as conn:
        row: Any = conn.execute(
            "select pg_database_size(current_database()), current_setting('server_version')"
        ).fetchone()
    return Scratch(dsn, how, round(seconds, 3), int(row[0]), str(row[1]), passed_over)


def _template(stack: ExitStack, dsn: str) -> str:
    """CREATE DATABASE … TEMPLATE: whoever connects meanwhile waits, so only while nobody is."""
    beside = _beside(dsn)
    source = admin.dbname(dsn)
    with admin.connection(beside) as conn:
        _may_create(conn)
        if not _alone(conn, source):
            raise _CannotError("other sessions are connected to it")
        name = stack.enter_context(temporary.reserved(beside, COPIES))
        statement = sql.SQL("create database {} template {}").format(
            sql.Identifier(name), sql.Identifier(source)
        )
        try:
            conn.execute(statement)
        except (errors.ObjectInUse, errors.InsufficientPrivilege) as error:
            raise _CannotError(_words(error)) from error
        except errors.DiskFull as error:
            raise InfrastructureError(_words(error), hint="a copy needs as much space") from error
        temporary.mark(conn, COPIES, name)
    return admin.with_dbname(dsn, name)


def _dump(stack: ExitStack, dsn: str) -> str:
    """A dump of the named database restored on its own server."""
    beside = _beside(dsn)
    with admin.connection(beside) as conn:
        _may_create(conn)
        name = stack.enter_context(temporary.reserved(beside, COPIES))
        admin.create_like(conn, name, admin.dbname(dsn))
        temporary.mark(conn, COPIES, name)
    target = admin.with_dbname(dsn, name)
    copying.copy(dsn, target)
    return target


def _elsewhere(stack: ExitStack, dsn: str) -> str:
    """A dump of the named database restored on a server of our own, of the same version."""
    from harness.server import choose

    with admin.connection(dsn) as conn:
        version = conn.info.server_version // 10_000
    try:
        server = choose("auto", version=version)
        stack.callback(server.close)
        server.start()
    except HarnessError as error:
        raise _CannotError(str(error)) from error
    copying.copy_roles(dsn, server.dsn())
    name = admin.unique_name(COPIES.prefix)
    admin.create(server.dsn(), name)
    copying.copy(dsn, server.dsn(name))
    return server.dsn(name)


def _beside(dsn: str) -> str:
    """DSN of another database on the same server, so that nobody is connected to the named one."""
    why = ""
    for name in _MAINTENANCE:
        if name == admin.dbname(dsn):
            continue
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
        "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
    ).fetchone()
    if not row[0]:
        raise _CannotError("the role may not create databases")


def _words(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
