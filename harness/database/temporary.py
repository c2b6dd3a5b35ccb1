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

from harness.database import admin
from harness.poll import wait_until
from harness.server import process

# Asked of pg_locks, which shows those of every database: the lock itself is one database's own, and
# another maker may hold it in another one. The comment marked them before the names had a checksum.
_ORPHANS: Final = """
select datname, shobj_description(oid, 'pg_database') = %(mark)s from pg_database
where starts_with(datname, %(prefix)s) and pg_has_role(datdba, 'MEMBER')
"""
_ALIVE: Final = """
select exists (
  select from pg_locks
  where locktype = 'advisory' and objsubid = 2 and granted and classid = %s and objid = %s
)
"""
_MAKING: Final = """
select query from pg_stat_activity
where state = 'active' and query ilike 'create database "' || %s || '%%' and pid <> pg_backend_pid()
"""
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

    def maker(self, name: str) -> Maker | None:
        """Who made a database of this kind; None when the name is none of ours."""
        pattern = rf"({re.escape(self.prefix)}_(\d+)_([0-9a-f]{{4}})[0-9a-f]{{8}})_([0-9a-f]{{12}})"
        match = re.fullmatch(pattern, name)
        if match is None or match[4] != checksum(match[1]):
            return None
        return Maker(int(match[2]), match[3] == _here())


@dataclass(frozen=True)
class Maker:
    """A process that made a database; whether it lives is known of this machine's own."""

    pid: int
    here: bool

    @property
    def dead(self) -> bool:
        """Whether it is known to have ended."""
        return self.here and process.started(self.pid) is None


@contextmanager
def reserved(dsn: str, kind: Kind) -> Iterator[str]:
    """A name for a temporary database on the server; made in the block, dropped when it ends.

    `dsn` names another database of the same server. What makers that were killed left behind is
    dropped first; what lives, what does not prove to be ours and what we may not drop stays.
    """
    name = kind.new_name()
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        sweep(conn, kind)
        hold(conn, kind, name)
        try:
            yield name
        finally:
            admin.drop(dsn, name)


def noticing(conn: psycopg.Connection[Any]) -> None:
    """Let the server end what this session does when its client is gone, a long copy too."""
    try:
        conn.execute("set client_connection_check_interval = '500ms'")
    except psycopg.Error:
        return  # not every platform can; the copy then goes on to its end, and is swept later


def hold(conn: psycopg.Connection[Any], kind: Kind, name: str) -> None:
    """Take the lock that says that the maker lives, for as long as the connection does."""
    conn.execute(
        "select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'"
    )
    conn.execute("select pg_advisory_lock(%s, %s)", [kind.lock_class, _number(name)])


def sweep(conn: psycopg.Connection[Any], kind: Kind) -> None:
    """Drop the databases of this kind whose maker is gone."""
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: _ended(conn, kind), _LOST, "the end of what was killed", pause=0.05)
    for name in _ours(conn, kind):
        if not _alive(conn, kind, name):
            _drop(conn, name)


def _ours(conn: psycopg.Connection[Any], kind: Kind) -> list[str]:
    found = conn.execute(_ORPHANS, {"prefix": kind.prefix + "_", "mark": kind.mark}).fetchall()
    return [name for name, marked in found if marked or kind.maker(name) is not None]


def _alive(conn: psycopg.Connection[Any], kind: Kind, name: str) -> bool:
    row: Any = conn.execute(_ALIVE, [kind.lock_class, _number(name)]).fetchone()
    return bool(row[0])


def _ended(conn: psycopg.Connection[Any], kind: Kind) -> bool:
    """Whether the server has noticed the end of every maker that was killed on this machine: its
    CREATE DATABASE commits or ends soon, and until then nobody sees the database."""
    rows = conn.execute(_MAKING, [kind.prefix]).fetchall()
    names = [match[1] for (query,) in rows if (match := _NAMED.match(query.lower()))]
    names += [name for name in _ours(conn, kind) if _alive(conn, kind, name)]
    makers = (kind.maker(name) for name in names)
    return not any(maker is not None and maker.dead for maker in makers)


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
