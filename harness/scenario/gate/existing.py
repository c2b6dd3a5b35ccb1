"""A gate on a server that somebody else runs: only what the gate makes there is ever touched.

Its databases are copies of template0 or of each other, with the gate's mark in their names; the
database that the DSN names is read for its address alone.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from harness.core.errors import AnotherRunnerError, InfrastructureError
from harness.database import admin, template
from harness.server import Server

Connection = psycopg.Connection[Any]
_LOCK: Final = (0x68617274, zlib.crc32(b"gate") & 0x7FFF_FFFF)
_MARKED: Final = re.compile(r"harness_\w*_g[0-9a-f]{8}_\d+_[0-9a-f]{8}")
_DATABASES: Final = """
select datname from pg_database
where starts_with(datname, 'harness_') and pg_has_role(datdba, 'MEMBER') order by 1
"""


@contextmanager
def guarded(server: Server, baseline: str, keep: bool = False) -> Iterator[None]:
    """For the length of the block no other gate works on the server; then what was made is gone.

    With `keep` the databases of failed tests stay until the next gate.

    What a killed gate left there is dropped first. Of the roles, those that the text of the
    `baseline` names and that were not there before are dropped again.
    """
    if server.provider != "existing":
        yield
        return
    with admin.connection(_beside(server)) as conn:
        admin.refuse_standby(conn)
        if not _one(conn, "select pg_try_advisory_lock(%s, %s)", _LOCK):
            raise AnotherRunnerError(
                "another gate works on this server", where=address(server), hint="wait for it"
            )
        _sweep(conn)
        roles, templates = _roles(conn), _templates(conn)
        try:
            yield
        finally:
            for name in _templates(conn) - templates:
                admin.drop(server.dsn(), name)
            if not keep:
                _sweep(conn)
            _drop_roles(conn, _named(baseline, _roles(conn) - roles))


def address(server: Server) -> str:
    """Host and port of a server, without a password."""
    fields = conninfo_to_dict(str(server.dsn()))
    host = fields.get("host") or fields.get("hostaddr") or "the local socket"
    return f"{host}:{fields.get('port') or 5432}"


def _beside(server: Server) -> str:
    """A DSN on which all gates of a server meet: advisory locks are one database's own."""
    common = server.dsn("postgres")
    try:
        with admin.connection(common):
            return common
    except InfrastructureError:
        return server.dsn()


def _one(conn: Connection, query: Any, values: tuple[Any, ...] = ()) -> Any:
    row: Any = conn.execute(query, values).fetchone()
    return row[0]


def _sweep(conn: Connection) -> None:
    for (name,) in conn.execute(_DATABASES).fetchall():
        if _MARKED.fullmatch(name):
            conn.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )


def _templates(conn: Connection) -> set[str]:
    found = conn.execute(_DATABASES).fetchall()
    return {name for (name,) in found if name.startswith(template.PREFIX)}


def _roles(conn: Connection) -> set[str]:
    return {name for (name,) in conn.execute("select rolname from pg_roles").fetchall()}


def _named(text: str, roles: set[str]) -> list[str]:
    """Those that the baseline speaks of: others came from somebody else meanwhile."""
    return sorted(role for role in roles if re.search(rf"(?<!\w){re.escape(role)}(?!\w)", text))


def _drop_roles(conn: Connection, roles: list[str]) -> None:
    for _ in roles:  # one may be another's member, or have granted to it
        for role in roles:
            try:
                conn.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
            except psycopg.Error:
                continue
