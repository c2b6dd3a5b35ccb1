"""What stands around a database: its settings, owner and privileges, which no dump of it holds.

A copy gets them, so that a statement meets in it what it would meet in the database itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

_SQL: Final = Path(__file__).with_name("surroundings.sql").read_text("utf-8")
_LISTS: Final = frozenset(
    (
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    )
)
"""Settings whose value is a list of quoted names; one literal each, as pg_dumpall writes them."""
_ITEM: Final = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"\s][^,"]*?))\s*(?:,|$)')


@dataclass(frozen=True)
class Setting:
    """A setting of a database: for everybody, or for one role in it."""

    role: str | None
    name: str
    value: str


@dataclass(frozen=True)
class Surroundings:
    """What the shared catalogs say of one database. `privileges` is None where none were given:
    those of a new database."""

    owner: str
    connections: int
    comment: str | None
    tablespace: str
    privileges: tuple[tuple[str | None, str, bool], ...] | None
    settings: tuple[Setting, ...]


def surroundings(conn: psycopg.Connection[Any], name: str) -> Surroundings:
    """What stands around the named database of this server."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row: Any = cursor.execute(_SQL.encode(), [name]).fetchone()
    settings = tuple(Setting(role, *text.split("=", 1)) for role, text in row.pop("settings"))
    given = row.pop("privileges")
    privileges = None if given is None else tuple((who, what, more) for who, what, more in given)
    return Surroundings(settings=settings, privileges=privileges, **row)


def compare_surroundings(before: Surroundings, after: Surroundings) -> tuple[str, ...]:
    """What of a database's surroundings is not as before, one line each."""
    kept = ("owner", "connections", "comment", "tablespace")
    had, has = ({name: str(getattr(one, name)) for name in kept} for one in (before, after))
    for one, found in ((before, had), (after, has)):
        found["privileges"] = ", ".join(sorted(map(_privilege, _effective(one))))
        for setting in one.settings:
            of = f" of role {setting.role}" if setting.role else ""
            found[f"setting {setting.name}{of}"] = setting.value
    return tuple(
        f"database, {name}: {had.get(name, 'not set')}, then {has.get(name, 'not set')}"
        for name in sorted(had.keys() | has.keys())
        if had.get(name) != has.get(name)
    )


def _effective(around: Surroundings) -> frozenset[tuple[str | None, str, bool]]:
    """Its privileges; where none were given, those that Postgres gives a new database."""
    if around.privileges is not None:
        return frozenset(around.privileges)
    everybody = {(None, what, False) for what in ("CONNECT", "TEMPORARY")}
    owners = {(around.owner, what, False) for what in ("CONNECT", "CREATE", "TEMPORARY")}
    return frozenset(everybody | owners)


def _privilege(one: tuple[str | None, str, bool]) -> str:
    role, what, grantable = one
    return f"{what} to {role or 'PUBLIC'}{' with grant option' if grantable else ''}"


def surround(
    conn: psycopg.Connection[Any], name: str, wanted: Surroundings, *, limits: bool = False
) -> tuple[str, ...]:
    """Give a copy its settings, owner, privileges and comment; what was not allowed, in words.

    With `limits` the limit of connections too, which stops nobody but roles that are no superuser.
    """
    lacking = []
    have = surroundings(conn, name)
    if wanted.owner != have.owner and not _has_rights_of(conn, wanted.owner):
        # given to a role whose rights are not ours, we could never drop it again
        lacking.append(f"owner {wanted.owner}: the role has not its rights")
        wanted = replace(wanted, owner=have.owner)
    for what, statement in _statements(name, have, wanted, limits):
        try:
            conn.execute(statement)
        except psycopg.Error as error:
            lacking.append(f"{what}: {error.diag.message_primary or error}")
    return tuple(dict.fromkeys(lacking))


def _has_rights_of(conn: psycopg.Connection[Any], role: str) -> bool:
    row: Any = conn.execute("select pg_has_role(%s, 'USAGE')", [role]).fetchone()
    return bool(row[0])


def _statements(
    name: str, have: Surroundings, wanted: Surroundings, limits: bool
) -> Iterator[tuple[str, sql.Composed]]:
    database = sql.Identifier(name)
    for one in wanted.settings:
        yield f"setting {one.name}", _set(name, one)
    if wanted.comment and wanted.comment != have.comment:
        yield "comment", sql.SQL("comment on database {} is {}").format(database, wanted.comment)
    if limits and wanted.connections >= 0:
        yield (
            "limit of connections",
            sql.SQL("alter database {} connection limit {}").format(database, wanted.connections),
        )
    if wanted.owner != have.owner:
        yield (
            f"owner {wanted.owner}",
            sql.SQL("alter database {} owner to {}").format(database, sql.Identifier(wanted.owner)),
        )
    if wanted.privileges is not None:
        yield from _grants(name, wanted.owner, wanted.privileges)


def _grants(
    name: str, owner: str, privileges: tuple[tuple[str | None, str, bool], ...]
) -> Iterator[tuple[str, sql.Composed]]:
    database = sql.Identifier(name)
    yield (
        "privileges",
        sql.SQL("revoke all on database {} from public, {}").format(
            database, sql.Identifier(owner)
        ),
    )
    for grantee, privilege, grantable in privileges:
        role = sql.SQL("public") if grantee is None else sql.Identifier(grantee)
        more = sql.SQL(" with grant option" if grantable else "")
        yield (
            "privileges",
            sql.SQL("grant {} on database {} to {}").format(sql.SQL(privilege), database, role)
            + more,
        )


def _set(name: str, one: Setting) -> sql.Composed:
    whom = sql.SQL("database {}").format(sql.Identifier(name))
    if one.role is not None:
        whom = sql.SQL("role {} in database {}").format(
            sql.Identifier(one.role), sql.Identifier(name)
        )
    return sql.SQL("alter {} set {}").format(whom, assigned(one.name, one.value))


def assigned(name: str, value: str) -> sql.Composed:
    """`name = value` for a SET, from the value as the catalog keeps it."""
    values = _items(value) if name.lower() in _LISTS else [value]
    return sql.SQL("{} = {}").format(
        sql.Identifier(*name.split(".")), sql.SQL(", ").join(map(sql.Literal, values))
    )


def _items(value: str) -> list[str]:
    found = [
        match[2] if match[1] is None else match[1].replace('""', '"')
        for match in _ITEM.finditer(value)
    ]
    return found or [""]
