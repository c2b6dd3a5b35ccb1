"""Sealed template databases, built once per key, and cheap clones of them.

A template is complete when it is sealed: marked as a template, closed to connections, its key in
its comment. All three are set by one transaction at the very end, so that a half-built one, left by
a crash, is never taken for a whole one; it is dropped and built again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.core.errors import UsageError
from harness.database import admin

PREFIX: Final = "harness_template_"
_MARK: Final = "harness template: "
_LOCK_CLASS: Final = 0x68617274  # "hart": our half of the advisory lock's key

# Copying files is faster at every size where a checkpoint costs no fsync; where it does, a small
# template is cheaper to write through the log.
WAL_LOG_LIMIT: Final = 64 * 1024 * 1024
"""On a server with fsync, templates up to this size are cloned through the write-ahead log."""


def name_of(key: str) -> str:
    """The name of the template of this key; equal keys, equal names."""
    return PREFIX + hashlib.sha256(key.encode()).hexdigest()[:24]


def ensure(
    server_dsn: str, key: str, build: Callable[[str], None], *, base: str | None = None
) -> str:
    """The name of the sealed template of `key`, built with `build(dsn)` if it is not there.

    Any number of processes may ask at once: one builds, the others wait for it. With `base` the
    template begins as a copy of another template.
    """
    name = name_of(key)
    with admin.connection(server_dsn) as conn, _locked(conn, key):
        if _sealed(conn, name, key):
            return name
        admin.drop(server_dsn, name)
        admin.create_on(conn, name, base, _strategy(conn, base) if base else None)
        dsn = admin.with_dbname(server_dsn, name)
        build(dsn)
        with admin.connection(dsn) as made:
            made.execute("vacuum (analyze)")  # once here rather than in every clone
        admin.end_connections(server_dsn, name)
        _seal(conn, name, key)
    return name


def clone(server_dsn: str, template_name: str, clone_name: str | None = None) -> str:
    """Copy a template and return the DSN of the copy; without a name it gets a unique one."""
    name = clone_name or admin.unique_name("harness_clone")
    with admin.connection(server_dsn) as conn:
        admin.create_on(conn, name, template_name, _strategy(conn, template_name))
    return admin.with_dbname(server_dsn, name)


def drop_all(server_dsn: str) -> list[str]:
    """Drop every template of ours on this server, half-built ones too; return their names."""
    with admin.connection(server_dsn) as conn:
        rows = conn.execute(
            "select datname from pg_database where starts_with(datname, %s) order by 1", (PREFIX,)
        ).fetchall()
    for (name,) in rows:
        admin.drop(server_dsn, name)
    return [name for (name,) in rows]


@contextmanager
def _locked(conn: psycopg.Connection[Any], key: str) -> Iterator[None]:
    """Hold the advisory lock of a key; the server lets go of it when this process dies."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big", signed=True)
    # Another process may build for minutes, whatever limit a judge has put on its sessions.
    conn.execute("set lock_timeout = 0; set statement_timeout = 0")
    conn.execute("select pg_advisory_lock(%s, %s)", (_LOCK_CLASS, number))
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("select pg_advisory_unlock(%s, %s)", (_LOCK_CLASS, number))


def _sealed(conn: psycopg.Connection[Any], name: str, key: str) -> bool:
    row = conn.execute(
        "select datistemplate and not datallowconn"
        " and shobj_description(oid, 'pg_database') = %s from pg_database where datname = %s",
        (_MARK + key, name),
    ).fetchone()
    return row is not None and bool(row[0])


def _seal(conn: psycopg.Connection[Any], name: str, key: str) -> None:
    identifier = sql.Identifier(name)
    with conn.transaction():
        conn.execute(
            sql.SQL("comment on database {} is {}").format(identifier, sql.Literal(_MARK + key))
        )
        conn.execute(
            sql.SQL("alter database {} with is_template true allow_connections false").format(
                identifier
            )
        )


def _strategy(conn: psycopg.Connection[Any], name: str) -> str:
    row = conn.execute(
        "select current_setting('fsync')::boolean and pg_database_size(oid) <= %s"
        " from pg_database where datname = %s",
        (WAL_LOG_LIMIT, name),
    ).fetchone()
    if row is None:
        raise UsageError(f"there is no template {name!r}", hint="build it with template.ensure")
    return "wal_log" if row[0] else "file_copy"
