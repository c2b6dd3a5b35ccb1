"""A database for the length of a block, dropped at its end whatever happens.

A session's advisory lock is its sign of life: when its maker was killed, the next one finds the
database without its lock and drops it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.database import admin

# Asked of pg_locks, which shows those of every database: the lock itself is one database's own, and
# another maker may hold it in another one.
_ORPHANS: Final = """
select datname from pg_database
where starts_with(datname, %(prefix)s)
  and shobj_description(oid, 'pg_database') = %(mark)s
  and pg_has_role(datdba, 'MEMBER')
"""
_ALIVE: Final = """
select exists (
  select from pg_locks
  where locktype = 'advisory' and objsubid = 2 and granted and classid = %s and objid = %s
)
"""


@dataclass(frozen=True)
class Kind:
    """Temporary databases of one use: how their names begin, and the comment that marks them."""

    prefix: str
    mark: str

    @property
    def lock_class(self) -> int:
        """Our half of the advisory locks' keys, 31 bits so that pg_locks shows the same number."""
        return _number(self.prefix)


@contextmanager
def reserved(dsn: str, kind: Kind) -> Iterator[str]:
    """A name for a temporary database on the server; made in the block, dropped when it ends.

    `dsn` names another database of the same server. What makers that were killed left behind is
    dropped first; what lives, what is not marked and what is not ours to drop stays.
    """
    name = admin.unique_name(kind.prefix)
    with admin.connection(dsn) as conn:
        sweep(conn, kind)
        hold(conn, kind, name)
        try:
            yield name
        finally:
            admin.drop(dsn, name)


def mark(conn: psycopg.Connection[Any], kind: Kind, name: str) -> None:
    """Say in the database's comment what it is; only what is marked is ever swept."""
    conn.execute(sql.SQL("comment on database {} is {}").format(sql.Identifier(name), kind.mark))


def hold(conn: psycopg.Connection[Any], kind: Kind, name: str) -> None:
    """Take the lock that says that the maker lives, for as long as the connection does."""
    conn.execute(
        "select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'"
    )
    conn.execute("select pg_advisory_lock(%s, %s)", [kind.lock_class, _number(name)])


def sweep(conn: psycopg.Connection[Any], kind: Kind) -> None:
    """Drop the databases of this kind whose maker is gone."""
    found = conn.execute(_ORPHANS, {"prefix": kind.prefix, "mark": kind.mark}).fetchall()
    for (name,) in found:
        row: Any = conn.execute(_ALIVE, [kind.lock_class, _number(name)]).fetchone()
        if not row[0]:
            statement = sql.SQL("drop database if exists {} with (force)")
            conn.execute(statement.format(sql.Identifier(name)))


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFF_FFFF
