"""What a server has beside a database, made on a server of our own: roles, tablespaces, databases.

A plan may name them. Logins and passwords are not among it.
"""

from __future__ import annotations

import re
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.database.creation import create, making
from harness.database.surroundings import assigned, surround, surroundings

Connection = psycopg.Connection[Any]

_ROLES: Final = """
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL (%s)
"""
_RIGHTS: Final = ("superuser", "inherit", "createrole", "createdb", "replication", "bypassrls")
_MEMBERS: Final = """
SELECT r.rolname, m.rolname, a.admin_option, to_jsonb(a) -> 'inherit_option',
  to_jsonb(a) -> 'set_option'
FROM pg_catalog.pg_auth_members AS a
JOIN pg_catalog.pg_roles AS r ON r.oid = a.roleid JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
"""
_SETTINGS: Final = """
SELECT r.rolname, unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting AS s
JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole WHERE s.setdatabase = 0
"""
_TABLESPACES: Final = """
SELECT t.spcname, pg_catalog.pg_get_userbyid(t.spcowner),
  (SELECT coalesce(jsonb_agg(jsonb_build_array(
      CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END, a.privilege_type)),
      '[]') FROM pg_catalog.aclexplode(t.spcacl) AS a)
FROM pg_catalog.pg_tablespace AS t WHERE t.spcname !~ '^pg_'
"""
_PARAMETERS: Final = """
SELECT p.parname, CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
  a.privilege_type
FROM pg_catalog.pg_parameter_acl AS p, pg_catalog.aclexplode(p.paracl) AS a
"""
_DATABASES: Final = """
SELECT datname FROM pg_catalog.pg_database
WHERE datname <> current_database() AND datname <> ALL (%s) AND datallowconn
"""


def make_neighbours(there: Connection, here: Connection, text: str) -> None:
    """Make on our server what the other one has; of databases those that the text names, empty."""
    _roles(there, here)
    _tablespaces(there, here)
    for name, grantee, privilege in there.execute(_PARAMETERS).fetchall():
        _try(here, sql.SQL("grant {} on parameter {} to {}").format(
            sql.SQL(privilege), sql.Identifier(*name.split(".")), _grantee(grantee)
        ))  # fmt: skip
    for name in _named(there, here, text):
        create(here, name, making(here, "template1"))
        surround(here, name, surroundings(there, name))


def _roles(there: Connection, here: Connection) -> None:
    have = [name for (name,) in here.execute("select rolname from pg_roles").fetchall()]
    for name, *rights in there.execute(_ROLES, [have]).fetchall():
        options = " ".join(
            word if has else f"no{word}" for word, has in zip(_RIGHTS, rights, strict=True)
        )
        here.execute(
            sql.SQL("create role {} nologin {}").format(sql.Identifier(name), sql.SQL(options))
        )
    for role, member, *options in there.execute(_MEMBERS).fetchall():
        if not role.startswith("pg_") or not member.startswith("pg_"):
            here.execute(_membership(role, member, *options))
    for name, setting in there.execute(_SETTINGS).fetchall():
        _try(here, sql.SQL("alter role {} set {}").format(
            sql.Identifier(name), assigned(*setting.split("=", 1))
        ))  # fmt: skip


def _membership(
    role: str, member: str, may_grant: bool, inherits: bool | None, sets: bool | None
) -> sql.Composed:
    statement = sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(member))
    if inherits is None:  # before Postgres 16
        return statement + sql.SQL(" with admin option" if may_grant else "")
    return statement + sql.SQL(f" with admin {may_grant}, inherit {inherits}, set {sets}")


def _tablespaces(there: Connection, here: Connection) -> None:
    """Below our own data directory: who restores into one of them finds it by its name."""
    for name, owner, privileges in there.execute(_TABLESPACES).fetchall():
        here.execute("set allow_in_place_tablespaces = on")
        here.execute(
            sql.SQL("create tablespace {} owner {} location ''").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )
        for grantee, privilege in privileges:
            here.execute(
                sql.SQL("grant {} on tablespace {} to {}").format(
                    sql.SQL(privilege), sql.Identifier(name), _grantee(grantee)
                )
            )


def _named(there: Connection, here: Connection, text: str) -> list[str]:
    have = [name for (name,) in here.execute("select datname from pg_database").fetchall()]
    names = [name for (name,) in there.execute(_DATABASES, [have]).fetchall()]
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def _grantee(name: str | None) -> sql.Composable:
    return sql.SQL("public") if name is None else sql.Identifier(name)


def _try(conn: Connection, statement: sql.Composed) -> None:
    """A setting or parameter of a library that our server does not have is left out."""
    try:
        conn.execute(statement)
    except psycopg.Error:
        return
