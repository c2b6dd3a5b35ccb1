"""A database for the length of a block, dropped at its end whatever happens.

A session's advisory lock is its sign of life: when its maker was killed, the next one finds the
database without its lock and drops it. The name says whose it is: it ends in a checksum of the
rest, so that a database is known as ours from the moment it exists, and one that merely looks alike
is not.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.core.poll import wait_until
from harness.database import admin
from harness.server import process, reap

# Asked of pg_locks, which shows those of every database: the lock itself is one database's own, and
# another maker may hold it in another one. The comment marked them before the names had a checksum.
_FOUND: Final = """
select datname, starts_with(datname, %(prefix)s)
  and shobj_description(oid, 'pg_database') = %(mark)s
from pg_database where starts_with(datname, 'harness_') and pg_has_role(datdba, 'USAGE')
"""
_ALIVE: Final = """
select exists (
  select from pg_locks
  where locktype = 'advisory' and objsubid = 2 and granted and classid = %s and objid = %s
)
"""
_MAKING: Final = """
select query from pg_stat_activity
where state = 'active' and query ilike 'create database "harness\\_%%' and pid <> pg_backend_pid()
"""
_OURS: Final = re.compile(
    r"(?P<body>(?P<kind>harness_\w+)_(?P<pid>\d+)_(?P<host>[0-9a-f]{4})[0-9a-f]{8})_(?P<check>[0-9a-f]{12})"
)
_NAMED: Final = re.compile(r'create database "(\w+)"')
_LOST: Final = 15.0
"""Seconds that a server may take to notice that the client of a CREATE DATABASE is gone."""


@dataclass(frozen=True)
class Kind:
    """Temporary databases of one use: how their names begin, and the comment of earlier ones."""

    prefix: str
    mark: str

    @property
    def lock_class(self) -> int:
        """Our half of the advisory locks' keys, 31 bits so that pg_locks shows the same number."""
        return _number(self.prefix)

    def new_name(self) -> str:
        """A name that no other maker has, and that proves what it is."""
        body = f"{self.prefix}_{os.getpid()}_{_here()}{secrets.token_hex(4)}"
        return f"{body}_{checksum(body)}"


@dataclass(frozen=True)
class DatabaseMaker:
    """A process that made a database; whether it lives is known of this machine's own."""

    pid: int
    here: bool

    @property
    def dead(self) -> bool:
        """Whether it is known to have ended."""
        return self.here and process.started(self.pid) is None


def maker(name: str) -> DatabaseMaker | None:
    """Who made a temporary database, of whatever kind; None when the name is none of ours."""
    match = _OURS.fullmatch(name)
    if match is None or match["check"] != checksum(match["body"]):
        return None
    return DatabaseMaker(int(match["pid"]), match["host"] == _here())


@contextmanager
def reserved(dsn: str, kind: Kind) -> Iterator[str]:
    """A name for a temporary database on the server; made in the block, dropped when it ends.

    `dsn` names another database of the same server. What makers that were killed left behind is
    removed first; what lives, what does not prove to be ours and what we may not drop stays.
    """
    name = kind.new_name()
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        tidy(conn, kind)
        hold(conn, kind, name)
        try:
            yield name
        finally:
            admin.drop(dsn, name)


def tidy(conn: psycopg.Connection[Any], kind: Kind | None = None) -> None:
    """Remove what killed makers left: temporary databases of any kind on the connected server, and
    servers of our own; with a kind also those of it that an earlier version marked.
    """
    reap()
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: _ended(conn), _LOST, "the end of what was killed", pause=0.05)
    for name in _ours(conn, kind):
        if not _alive(conn, name):
            _drop(conn, name)


def noticing(conn: psycopg.Connection[Any]) -> None:
    """Let the server end what this session does when its client is gone, a long copy too."""
    try:
        conn.execute("set client_connection_check_interval = '500ms'")
    except psycopg.Error:
        return  # not every platform can; the copy then goes on to its end, and is dropped later


def hold(conn: psycopg.Connection[Any], kind: Kind, name: str) -> None:
    """Take the lock that says that the maker lives, for as long as the connection does."""
    conn.execute(
        "select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'"
    )
    conn.execute("select pg_advisory_lock(%s, %s)", [kind.lock_class, _number(name)])


def _ours(conn: psycopg.Connection[Any], kind: Kind | None = None) -> list[str]:
    told = {"mark": kind.mark if kind else "", "prefix": kind.prefix if kind else ""}
    found = conn.execute(_FOUND, told).fetchall()
    return [name for name, marked in found if marked or maker(name) is not None]


def _alive(conn: psycopg.Connection[Any], name: str) -> bool:
    """Whether somebody holds the lock of the name: in the class of its kind, whichever that is."""
    match = _OURS.fullmatch(name)
    prefix = match["kind"] if match else name.rsplit("_", 2)[0]  # as earlier versions named them
    row: Any = conn.execute(_ALIVE, [_number(prefix), _number(name)]).fetchone()
    return bool(row[0])


def _ended(conn: psycopg.Connection[Any]) -> bool:
    """Whether the server has noticed the end of every maker that was killed on this machine: its
    CREATE DATABASE commits or ends soon, and until then nobody sees the database."""
    rows = conn.execute(_MAKING).fetchall()
    names = [match[1] for (query,) in rows if (match := _NAMED.match(query.lower()))]
    names += [name for name in _ours(conn) if _alive(conn, name)]
    makers = (maker(name) for name in names)
    return not any(one is not None and one.dead for one in makers)


def _drop(conn: psycopg.Connection[Any], name: str) -> None:
    """Drop an orphan; one that somebody else drops at the same time is his."""
    statement = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    try:
        conn.execute(statement)
    except (psycopg.errors.InvalidCatalogName, psycopg.errors.ObjectInUse):
        return


def checksum(body: str) -> str:
    """The end of a name, from the rest of it."""
    return hashlib.sha256(f"harness temporary {body}".encode()).hexdigest()[:12]


def _here() -> str:
    """This machine, in four digits."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:4]


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFF_FFFF
