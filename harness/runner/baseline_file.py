"""One file of a baseline, run as psql would, in the caller's transaction."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import sql

from harness.plan import Plan, Script, Statement
from harness.plan.check import tree
from harness.runner.connection import Connection, is_lost, set_variables
from harness.runner.step_work import SqlFailed
from harness.runner.timeouts import setting_name, setting_value, timeouts

NEWER = {"transaction_timeout": 17}
"""Settings that pg_dump takes off, and the first version of Postgres that has them."""
INHERITS = re.compile(r"\sWITH (ADMIN OPTION, )?INHERIT TRUE\b")


def run(conn: Connection, plan: Plan, script: Script) -> None:
    """Run every statement of the file; SqlFailed when one fails."""
    set_variables(conn, {**plan.variables, "run_id": "0"})
    _set(conn, script, timeouts(plan.runner, script) | dict(script.settings))
    for statement in script.statements:
        try:
            _execute(conn, statement)
        except psycopg.Error as error:
            if is_lost(conn, error):
                raise
            raise SqlFailed(error, script, statement) from error


def _set(conn: Connection, script: Script, values: dict[str, str]) -> None:
    for name, value in values.items():
        setting = sql.SQL("SET LOCAL {} = {}").format(
            setting_name(name), setting_value(name, value)
        )
        try:
            conn.execute(setting)
        except psycopg.Error as error:
            said = Statement(f"-- set: {name}={value}", 1, "VariableSetStmt")
            raise SqlFailed(error, script, said) from error


def _execute(conn: Connection, statement: Statement) -> None:
    if statement.rows is not None:
        with conn.cursor().copy(statement.text.encode()) as copy:
            copy.write(statement.rows.text.encode())
        return
    skips = SKIPS.get(statement.tag)
    if skips is None or not skips(conn, tree(statement)):
        conn.execute(_understood(conn, statement).encode())


def _understood(conn: Connection, statement: Statement) -> str:
    """The text for a server before 16, which inherits as pg_dumpall of a newer one says."""
    if statement.tag != "GrantRoleStmt" or conn.info.server_version >= 160_000:
        return statement.text
    return INHERITS.sub(lambda match: " WITH ADMIN OPTION" if match[1] else "", statement.text)


def _has_role(conn: Connection, node: Any) -> bool:
    """A bare CREATE ROLE of a role that the server has: so pg_dumpall begins each of them."""
    query = "SELECT FROM pg_catalog.pg_roles WHERE rolname = %s"
    return not node.options and conn.execute(query, [node.role]).fetchone() is not None


def _is_own_role(conn: Connection, node: Any) -> bool:
    """Another server's password and rights for the role that we are would lock us out."""
    query = "SELECT %s IN (session_user, current_user)"
    return bool((conn.execute(query, [node.role.rolename]).fetchone() or [False])[0])


def _has_public(conn: Connection, node: Any) -> bool:
    """CREATE SCHEMA public, which every new database has."""
    query = "SELECT pg_catalog.to_regnamespace('public') IS NOT NULL"
    is_there = bool((conn.execute(query).fetchone() or [False])[0])
    return bool(node.schemaname == "public" and is_there and not node.schemaElts)


def _is_unknown(conn: Connection, node: Any) -> bool:
    """A newer pg_dump takes a limit off that this server does not have."""
    return conn.info.server_version // 10_000 < NEWER.get(node.name, 0)


SKIPS = {
    "CreateRoleStmt": _has_role,
    "AlterRoleStmt": _is_own_role,
    "CreateSchemaStmt": _has_public,
    "VariableSetStmt": _is_unknown,
}
"""Statements at which psql would complain and go on, or which must not be done here."""


def advice(error: psycopg.Error) -> str | None:
    """What to do about errors that only a baseline meets, or None."""
    said = error.diag.message_primary or ""
    if isinstance(error, psycopg.errors.UndefinedObject) and said.startswith("role "):
        return (
            "an earlier file makes it (pg_dumpall --roles-only), or dump with --no-owner --no-acl"
        )
    if isinstance(error, psycopg.errors.DuplicateObject) and said.startswith("role "):
        return "write CREATE ROLE without options and then ALTER ROLE, as pg_dumpall does"
    return None
