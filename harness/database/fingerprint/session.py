"""Connections that read one snapshot under fixed settings, whatever the client and the role say."""

# ruff: noqa: S608 - names and values are quoted by us
from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import errors

from harness.core.errors import InfrastructureError, Refused
from harness.database import admin
from harness.database.fingerprint.encoding import (
    RAW,
    client_encoding,
    encode,
    literal,
    read_losslessly,
)
from harness.server.instance import refuse_different

Connection: TypeAlias = psycopg.Connection[Any]

SETTINGS: Final = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",  # else a constant has twice its backslashes
    "row_security": "off",  # the server then refuses where a policy would hide rows
    "lock_timeout": "30s",  # the one limit of time that stays; `admin.connect` took off the others
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # our own connections are the parallelism
}

MAY_READ: Final = (
    "connect as a role that may read every table and is not subject to row level security: a "
    "superuser, the owner, or one with BYPASSRLS"
)
_CHANGED: Final = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedObject,
    errors.UndefinedFunction,
    errors.InvalidSchemaName,
    errors.InternalError_,
)
"""What the server says when an object was dropped while it was being described."""


@contextmanager
def snapshot(
    dsn: str, workers: int, excluded: Sequence[str], relations: Sequence[str] = ()
) -> Iterator[list[Connection]]:
    """`workers` connections for one snapshot: `begin` on the first, then `share` it.

    `excluded` are the schemas that are no part of the identity, `relations` the relations.
    """

    def prepared(_: int) -> Connection:
        conn = admin.connect(dsn, client_encoding=RAW)
        opened.append(conn)
        read_losslessly(conn)
        pin(conn, excluded, relations)
        return conn

    opened: list[Connection] = []
    try:
        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            connections = list(pool.map(prepared, range(max(1, workers))))
        refuse_different(connections)  # a snapshot is known on one server only
        yield connections
    finally:
        for conn in opened:
            conn.close()


def pin(conn: Connection, excluded: Sequence[str] = (), relations: Sequence[str] = ()) -> None:
    """Fix every setting that a value's or a definition's text depends on, and what is left out."""
    settings = {
        **SETTINGS,
        "client_encoding": client_encoding(conn),
        "harness.fingerprint_excludes": _array(excluded),
        "harness.fingerprint_leaves_out": _array(relations),
    }
    # first, so that every name is written out and no function of a schema is taken for the server's
    conn.execute("set search_path to ''")
    pairs = ", ".join(f"({literal(name)}, {literal(value)})" for name, value in settings.items())
    conn.execute(
        encode(
            conn,
            f"select set_config(name, value, false) from (values {pairs}) s (name, value)"
            " where current_setting(name, true) is not null or name like 'harness.%'",
        )
    )


def _array(names: Sequence[str]) -> str:
    """Names as the text of an array."""
    quoted = (name.replace("\\", r"\\").replace('"', r"\"") for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"


def begin(conn: Connection, snapshot_id: str | None = None) -> None:
    """Begin a read-only transaction on a snapshot of its own or on another one's."""
    conn.execute("begin isolation level repeatable read, read only")
    if snapshot_id is not None:
        conn.execute(f"set transaction snapshot '{snapshot_id}'".encode())


def lock(conn: Connection, relations: Sequence[str]) -> None:
    """Keep the tables from being rewritten or dropped while their parts are read.

    Must come before the transaction's first query, which takes the snapshot: what was rewritten
    after it would look empty.
    """
    if relations:
        names = ", only ".join(relations)
        conn.execute(encode(conn, f"lock table only {names} in access share mode"))


def share(connections: Sequence[Connection]) -> None:
    """Let the other connections read the first one's snapshot."""
    if len(connections) > 1:
        row = connections[0].execute("select pg_export_snapshot()").fetchone()
        assert row is not None
        for conn in connections[1:]:
            begin(conn, row[0])


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn the server's refusals into expected errors; every other error is a bug of ours."""
    try:
        yield
    except errors.InsufficientPrivilege as error:
        raise Refused(
            f"{what}: {_first_line(error)}",
            hint=MAY_READ,
        ) from error
    except errors.LockNotAvailable as error:
        raise InfrastructureError(
            f"{what}: a table stayed locked for {SETTINGS['lock_timeout']}",
            hint="end the transaction that holds the lock, or try again later",
        ) from error
    except _CHANGED as error:
        raise InfrastructureError(
            f"{what}: the catalog changed meanwhile: {_first_line(error)}", hint="try again"
        ) from error
    except psycopg.OperationalError as error:
        hint = "look whether the server runs and what its log says, then take it again"
        raise InfrastructureError(f"{what}: {_first_line(error)}", hint=hint) from error
    except errors.FeatureNotSupported as error:  # a standby, a foreign table, another table's kind
        raise Refused(
            f"{what}: the server cannot do it: {_first_line(error)}",
            hint="take the fingerprint on the primary, or of a database without that object",
        ) from error


@contextmanager
def reading(tables: Sequence[str]) -> Iterator[None]:
    """Turn an error in a value of these tables into one that names them."""
    try:
        yield
    except psycopg.DataError as error:
        names = ", ".join(tables[:5]) + (f" and {len(tables) - 5} more" if tables[5:] else "")
        raise Refused(
            f"a value cannot be read, in {names}: {_first_line(error)}",
            hint="find the row with: select * from each table, then correct or delete it",
        ) from error


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
