"""A server of our own for a tree: its databases, the role that runs it, clones in a moment."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import conninfo, sql

from harness.core.errors import InfrastructureError
from harness.database import admin
from harness.server import Server, choose, find_client
from harness.server.dsn import fields
from harness.subject.adapter.model import ForeignTree

_ROLES: Final = "select rolname from pg_catalog.pg_roles where rolname !~ '^pg_'"


class CheckServer:
    """The server, and who runs the tree on it. Names of databases are its own to give."""

    def __init__(self, started: Server, *, superuser: bool) -> None:
        self.started = started
        self._role = admin.unique_name("harness_tree")
        self._password = secrets.token_hex(16)
        self._databases: list[str] = []
        self._conn = admin.connect(started.dsn())
        self._conn.execute(
            sql.SQL("create role {} login createrole createdb {} password {}").format(
                sql.Identifier(self._role),
                sql.SQL("superuser" if superuser else ""),
                sql.Literal(self._password),
            )
        )
        self._first = self._kept = self._roles()

    @property
    def version(self) -> int:
        """The server's major version."""
        return self.started.version

    @property
    def psql(self) -> Path | None:
        """A psql for this server: its own, or the newest that is installed; None without one."""
        place = self.started.bin_dir
        if place is not None and (place / "psql").is_file():
            return place / "psql"
        try:
            return find_client("psql", self.version)
        except InfrastructureError:
            return None

    def dsn(self, name: str) -> str:
        """The DSN of a database as the role that runs the tree."""
        return conninfo.make_conninfo(
            **{**fields(self.started.dsn(name)), "user": self._role, "password": self._password}
        )

    def all_seeing(self, name: str) -> str:
        """The DSN of a database as the server's own superuser, who reads everything."""
        return self.started.dsn(name)

    def make(self, template: str | None = None) -> str:
        """A new database: empty, or a copy; the tree's role owns it. Its name."""
        name = admin.unique_name("harness_check")
        self._databases.append(name)
        if template is None:
            statement = sql.SQL("create database {} owner {} template template0")
            self._conn.execute(statement.format(sql.Identifier(name), sql.Identifier(self._role)))
        else:
            admin.create_on(self._conn, name, template, "file_copy")
            owned = sql.SQL("alter database {} owner to {}")
            self._conn.execute(owned.format(sql.Identifier(name), sql.Identifier(self._role)))
        return name

    def drop(self, name: str) -> None:
        """Remove a database, and whatever is connected to it."""
        statement = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        self._conn.execute(statement)
        if name in self._databases:
            self._databases.remove(name)

    @contextmanager
    def clone(self, template: str) -> Iterator[str]:
        """A copy for the length of a block; roles that were made in it go with it."""
        name = self.make(template)
        try:
            yield name
        finally:
            self.drop(name)
            self.drop_new_roles()

    def add_roles(self, names: Sequence[str]) -> list[str]:
        """Make the roles that the server lacks, without rights; those that were made."""
        made = [name for name in names if name not in self._kept]
        for name in made:
            self._conn.execute(sql.SQL("create role {}").format(sql.Identifier(name)))
            member = sql.SQL("grant {} to {} with admin option")
            self._conn.execute(member.format(sql.Identifier(name), sql.Identifier(self._role)))
        self._kept = self._roles()
        return made

    def keep_roles(self) -> None:
        """Let the roles that are there stay: the revision that made them is done for good."""
        self._kept = self._roles()

    def new_roles(self) -> frozenset[str]:
        """Roles that were made and are not kept."""
        return self._roles() - self._kept

    def drop_new_roles(self) -> None:
        """Remove the roles that were made and are not kept; their databases are gone."""
        for name in sorted(self.new_roles()):
            self._conn.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))

    def _roles(self) -> frozenset[str]:
        return frozenset(row[0] for row in self._conn.execute(_ROLES).fetchall())

    def close(self) -> None:
        """Remove the databases and the roles, and end the session."""
        for name in tuple(self._databases):
            self.drop(name)
        for name in sorted(self._roles() - self._first):
            self._conn.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
        self._conn.execute(sql.SQL("drop role {}").format(sql.Identifier(self._role)))
        self._conn.close()


@contextmanager
def server_for(provider: str, version: int | None, *, superuser: bool) -> Iterator[CheckServer]:
    """A started server of our own with the tree's role; closed at the end."""
    started = choose(provider, version=version)
    try:
        started.start()
        with closing(CheckServer(started, superuser=superuser)) as server:
            yield server
    finally:
        started.close()


def install_account(server: CheckServer, name: str, tree: ForeignTree) -> None:
    """Make the tree's version table, as its tool does before its first run."""
    if tree.account.create:
        with psycopg.connect(server.dsn(name), autocommit=True) as conn:
            conn.execute(tree.account.create.encode())


def available_extensions(server: CheckServer) -> frozenset[str]:
    """The extensions that the server could make."""
    query = "select name from pg_catalog.pg_available_extensions"
    with admin.connection(server.started.dsn()) as conn:
        rows: list[Any] = conn.execute(query).fetchall()
    return frozenset(row[0] for row in rows)
