"""What preflight wants to know of a server, a database and a role: one look, nothing judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from pglast import ast, parse_sql
from pglast.visitors import Visitor
from psycopg.rows import class_row

from harness.database import ledger_view
from harness.database.ledger_names import spelled
from harness.database.ledger_view import RunView
from harness.plan import Plan

LOOK = Path(__file__).with_name("preflight.sql")
SIZE = """
SELECT pg_catalog.sum(pg_catalog.pg_total_relation_size(c.oid))::bigint
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname || '.' || c.relname = ANY(%s)
"""
ROLE_STATEMENTS = ("GrantStmt", "CreatePolicyStmt", "GrantRoleStmt", "AlterDefaultPrivilegesStmt")


@dataclass(frozen=True)
class ServerFacts:
    """What one look found; None of a list means nothing of the kind is there."""

    postgres: int
    standby: bool
    read_only: bool
    no_triggers: bool
    role: str
    may_create: bool
    not_owned: list[str] | None
    missing_extensions: list[str] | None
    missing_roles: list[str] | None
    slots: list[str] | None
    prepared: list[str] | None
    long_transactions: list[str] | None
    invalid_indexes: list[str] | None
    unvalidated: list[str] | None
    data_directory: str | None
    started: int
    sees_activity: bool
    has_ledger: bool

    def free_bytes(self) -> int | None:
        """What is free where the server keeps its files, or None when this machine cannot see."""
        if not self.data_directory:
            return None
        try:
            lines = (Path(self.data_directory) / "postmaster.pid").read_text().splitlines()
            # the same path may exist on another machine: the same start does not
            if abs(int(lines[2]) - self.started) > 2:
                return None
            return int(psutil.disk_usage(self.data_directory).free)
        except (OSError, ValueError, IndexError):
            return None


@dataclass(frozen=True)
class Recorded:
    """The last run of the ledger, as far as it says which plan it was."""

    run: RunView
    files: dict[str, str]


def look(conn: psycopg.Connection[Any], plan: Plan) -> ServerFacts:
    """Look once, in the caller's transaction."""
    with conn.cursor(row_factory=class_row(ServerFacts)) as cursor:
        found = cursor.execute(
            spelled(LOOK.read_text()),
            {
                "alters": list(plan.alters),
                "extensions": list(plan.preflight.extensions),
                "roles": sorted(roles(plan)),
                "long": plan.preflight.long_transaction,
            },
        ).fetchone()
    assert found is not None
    return found


def recorded(conn: psycopg.Connection[Any]) -> Recorded | None:
    """The last run that the ledger knows, or None when it cannot be read."""
    try:
        with conn.transaction():
            run = ledger_view.last_run(conn, "forward", "rollback")
            return None if run is None else Recorded(run, ledger_view.files_of(conn, run))
    except psycopg.ProgrammingError:  # no right, or a table or column is missing
        return None


def touched_bytes(conn: psycopg.Connection[Any], plan: Plan) -> int | None:
    """The size of what steps write whole; None when somebody's lock hides it."""
    try:
        with conn.transaction():
            row = conn.execute(SIZE, (sorted(touched(plan)),)).fetchone()
    except psycopg.errors.LockNotAvailable:
        return None
    return (row[0] or 0) if row else None


def touched(plan: Plan) -> set[str]:
    """The relations of which a step writes every row."""
    scripts = (step.forward for step in plan.steps)
    return {s.table.replace('"', "") for s in scripts if s.kind == "batch" and s.table}


def roles(plan: Plan) -> set[str]:
    """The roles that the plan's grants and policies name."""
    found = _Roles()
    for step in plan.steps:
        for statement in (*step.forward.statements, *step.rollback.statements):
            if statement.tag in ROLE_STATEMENTS:
                found(parse_sql(statement.text))
    return found.names


class _Roles(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_RoleSpec(self, _ancestors: Any, node: ast.RoleSpec) -> None:  # noqa: N802 - pglast's name
        if node.rolename:
            self.names.add(node.rolename)
