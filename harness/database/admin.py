"""Make and drop databases, and name them: what a test or a template needs of a server."""

from __future__ import annotations

import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.core.poll import wait_until
from harness.database import limits
from harness.server import shell
from harness.server.dsn import fields
from harness.server.dsn import with_dbname as with_dbname  # named here by all who make databases
from harness.server.session import no_connection, session

NAME_LIMIT = 63
"""Postgres cuts longer names silently, and two of ours could then be one."""


@contextmanager
def connection(dsn: str, **options: Any) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection that is closed at the end; no connection is infrastructure."""
    conn = connect(dsn, **options)
    try:
        yield conn
    finally:
        conn.close()


def connect(dsn: str, **options: Any) -> psycopg.Connection[Any]:
    """An autocommit connection without limits of time, on the server that the DSN was settled on.

    Raises InfrastructureError when there is none, Refused when it is to another server.
    """
    conn = session(dsn, **options)
    try:
        limits.take_off(conn)
    except psycopg.OperationalError as error:  # it went away again
        conn.close()
        raise no_connection(error) from error
    except BaseException:
        conn.close()
        raise
    return conn


def writable(conn: psycopg.Connection[Any]) -> None:
    """Let the session write, whatever the settings of its database or role say."""
    conn.execute("set default_transaction_read_only = off")


def refuse_standby(conn: psycopg.Connection[Any]) -> None:
    """Refuse a server on which nothing can be written."""
    row = conn.execute("select pg_catalog.pg_is_in_recovery()").fetchone()
    if row is not None and row[0]:
        raise Refused("the server is a standby", hint="give the primary's address")


def dbname(dsn: str) -> str:
    """The database that a DSN leads to, by libpq's rules: the user's name when it names none."""
    found = fields(dsn)
    name = found.get("dbname") or shell.service(found.get("service")).get("dbname")
    name = name or os.environ.get("PGDATABASE") or found.get("user")
    if not name:
        raise UsageError("the DSN names no database", hint="add /dbname to it")
    return name


def unique_name(prefix: str) -> str:
    """A database name that no other process makes: it carries the process id and 32 random bits.

    During a gate it carries that one's mark besides: so it is known whose it is when it was killed.
    """
    gate = os.environ.get("HARNESS_GATE")
    mark = f"_g{zlib.crc32(gate.encode()):08x}" if gate else ""
    tail = f"{mark}_{os.getpid()}_{secrets.token_hex(4)}"
    return prefix[: NAME_LIMIT - len(tail)] + tail


def exists(server_dsn: str, name: str) -> bool:
    """Whether the server has a database of this name."""
    with connection(server_dsn) as conn:
        row = conn.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
        return row is not None


def create(server_dsn: str, name: str, template: str | None = None) -> None:
    """Create an empty database, or a copy of `template`."""
    with connection(server_dsn) as conn:
        create_on(conn, name, template)


def create_on(
    conn: psycopg.Connection[Any], name: str, template: str | None, strategy: str | None = None
) -> None:
    """Create a database over an open connection.

    A template that somebody still closes is waited for: a backend ends a moment after its client.
    """
    if len(name.encode()) > NAME_LIMIT:
        raise UsageError(
            f"the database name {name!r} is longer than {NAME_LIMIT} bytes",
            hint="take a shorter one",
        )
    statement: sql.Composed = sql.SQL("create database {} template {}").format(
        sql.Identifier(name), sql.Identifier(template or "template0")
    )
    if strategy:
        statement += sql.SQL(" strategy {}").format(sql.Literal(strategy))
    wait_until(lambda: _created(conn, statement), 60, f"the end of all use of {template!r}")


def _created(conn: psycopg.Connection[Any], statement: sql.Composed) -> bool:
    try:
        conn.execute(statement)
    except errors.ObjectInUse:
        return False
    except errors.DuplicateDatabase as error:
        raise Refused(str(error).strip(), hint="drop it first or take another name") from error
    except errors.InsufficientPrivilege as error:
        hint = "connect as a role that may create databases"
        raise Refused(str(error).strip(), hint=hint) from error
    except errors.ReadOnlySqlTransaction as error:
        raise Refused(str(error).strip(), hint="give the primary's address") from error
    except errors.InvalidCatalogName as error:
        hint = "name a database that the server has"
        raise InfrastructureError(str(error).splitlines()[0], hint=hint) from error
    return True


def drop(server_dsn: str, name: str, force: bool = True) -> None:
    """Drop a database, a sealed one too; one that is not there is dropped already.

    With `force` its connections are ended first.
    """
    identifier = sql.Identifier(name)
    with connection(server_dsn) as conn:
        writable(conn)
        row = conn.execute(
            "select datistemplate from pg_database where datname = %s", (name,)
        ).fetchone()
        if row is None:
            return
        if row[0]:
            conn.execute(sql.SQL("alter database {} is_template false").format(identifier))
        forced = sql.SQL(" with (force)" if force else "")
        conn.execute(sql.SQL("drop database if exists {}").format(identifier) + forced)


def end_connections(server_dsn: str, name: str, timeout: float = 10) -> None:
    """Terminate every connection to a database and return when none is left."""
    with connection(server_dsn) as conn:

        def gone() -> bool:
            found = conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = %s and pid <> pg_backend_pid()",
                (name,),
            )
            return not found.fetchall()

        wait_until(gone, timeout, f"the end of all connections to {name!r}")
