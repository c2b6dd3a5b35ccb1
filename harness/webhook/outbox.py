"""The outbox of a database: made once, with the endpoints that its events are queued for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import psycopg
from psycopg import errors

from harness.core.errors import Refused
from harness.database import admin

Connection = psycopg.Connection[Any]

MISSING: Final = "make it with `harness webhooks install`"
ADOPT: Final = "if its events are to be sent from here, say `harness webhooks install --adopt`"
_INSTALLED: Final = "SELECT pg_catalog.to_regclass('migration_outbox.outbox') IS NOT NULL"
_MAKE_ROOM: Final = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('outbox made'))"
_HERE: Final = (
    "SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
)
_CLUSTER: Final = "SELECT system_identifier FROM pg_catalog.pg_control_system()"
_BIND: Final = """
INSERT INTO migration_outbox.outbox (version, system_identifier, database) VALUES (1, %s, %s)
ON CONFLICT (version) DO UPDATE
SET system_identifier = excluded.system_identifier, database = excluded.database
"""
_BOUND: Final = "SELECT system_identifier, database FROM migration_outbox.outbox"
_REGISTER: Final = """
INSERT INTO migration_outbox.endpoint AS e (name, vocabulary, types) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET types = excluded.types
RETURNING e.vocabulary
"""


@dataclass(frozen=True)
class Subscription:
    """Which events an endpoint is queued: those of one vocabulary, of these types or of all."""

    name: str
    vocabulary: str
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binding:
    """The database that events belong to: its cluster, unless the role may not ask, and its oid."""

    cluster: int | None
    database: int

    def is_of(self, other: Binding) -> bool:
        """Whether both are one database, as far as both are known."""
        known = self.cluster is not None and other.cluster is not None
        same_cluster = self.cluster == other.cluster or not known
        return same_cluster and self.database == other.database


@contextmanager
def opened(dsn: str) -> Iterator[Connection]:
    """A session that may write, in autocommit."""
    with admin.connection(dsn) as conn:
        admin.refuse_standby(conn)
        admin.writable(conn)
        yield conn


def install(conn: Connection, *, adopt: bool = False) -> bool:
    """Make the outbox; whether it was not there yet.

    One that is there stays as it is. With `adopt` it belongs to this database from now on, of
    which it may be a copy.
    """
    with conn.transaction():
        conn.execute(_MAKE_ROOM)
        fresh = not is_installed(conn)
        if fresh:
            conn.execute(files(__package__).joinpath("sql/install.sql").read_bytes())
        here = _here(conn)
        if fresh or adopt:
            conn.execute(_BIND, [here.cluster, here.database])
    return fresh


def is_installed(conn: Connection) -> bool:
    """Whether the database has an outbox."""
    row = conn.execute(_INSTALLED).fetchone()
    return bool(row and row[0])


def require_own(conn: Connection) -> None:
    """Refuse a database without an outbox, and a copy: its events are the original's to send."""
    if not is_installed(conn):
        raise Refused("the database has no outbox of webhooks", hint=MISSING)
    try:
        row: Any = conn.execute(_BOUND).fetchone()
    except errors.InsufficientPrivilege as error:
        hint = "connect as the role that made it"
        raise Refused("the outbox may not be read by this role", hint=hint) from error
    if row is None or not Binding(*row).is_of(_here(conn)):
        raise Refused("the outbox is another database's: this one is a copy of it", hint=ADOPT)


def register(conn: Connection, subscriptions: Iterable[Subscription]) -> None:
    """Queue events for these endpoints from now on, in one transaction.

    Refused, and nothing is changed, where one would be told another vocabulary than before: what
    is queued for it is in the first one.
    """
    with conn.transaction():
        for one in subscriptions:
            row: Any = conn.execute(
                _REGISTER, [one.name, one.vocabulary, list(one.types)]
            ).fetchone()
            if row[0] != one.vocabulary:
                text = f"endpoint {one.name!r} is told {row[0]!r}, and keeps that vocabulary"
                raise Refused(text, hint=f"give the one for {one.vocabulary!r} another name")


def registered(conn: Connection) -> Sequence[str]:
    """The names of the endpoints that events are queued for, in order."""
    rows = conn.execute("SELECT name FROM migration_outbox.endpoint ORDER BY name").fetchall()
    return [row[0] for row in rows]


def _here(conn: Connection) -> Binding:
    try:
        with conn.transaction():
            cluster: Any = conn.execute(_CLUSTER).fetchone()
    except errors.InsufficientPrivilege:
        cluster = (None,)
    database: Any = conn.execute(_HERE).fetchone()
    return Binding(cluster[0], database[0])
