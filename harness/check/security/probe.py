"""Who reaches what, found by trying: every role, every relation, every command, every function.

A role is taken with SET ROLE and the API's claims, reads, and writes copies of rows that are there;
every attempt is rolled back. Tables are tried with triggers and foreign keys off, so an attempt has
no effect to take back but its own; the keys of a copy are given, so no sequence moves either.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from harness.check.security.policy import COMMANDS, SecurityPolicy
from harness.check.security.specimen import (
    QUIET,
    Connection,
    TrialRelation,
    attempted,
    count,
    rows,
    specimen,
)
from harness.core.errors import Refused
from harness.core.sqlstate import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INTEGRITY_VIOLATION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    WRONG_OBJECT_TYPE,
)

Cells = dict[str, dict[str, str]]
IMPOSSIBLE: Final = {OBJECT_NOT_IN_PREREQUISITE_STATE, FEATURE_NOT_SUPPORTED, WRONG_OBJECT_TYPE}
"""What a view answers that nobody can write."""

RELATIONS = """
select c.oid, c.relkind::text as kind,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
    array(select r.role from unnest(%s::text[]) r (role)
        where not has_schema_privilege(r.role, n.oid, 'usage')) as outside
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid
            and d.deptype = 'e')
order by 3
"""
FUNCTIONS = """
select p.oid, p.prokind::text as kind, p.oid::pg_catalog.regprocedure::text as name,
    quote_ident(n.nspname) || '.' || quote_ident(p.proname) as called,
    coalesce((select pg_catalog.array_agg(pg_catalog.format_type(t, null) order by place)
        from pg_catalog.unnest(p.proargtypes) with ordinality u (t, place)), '{}') as arguments
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid
            and d.deptype = 'e')
order by 3
"""


@dataclass(frozen=True)
class Access:
    """What was found: a word for every role, relation and command, and for every function."""

    relations: dict[str, Cells] = field(default_factory=dict)
    functions: Cells = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    unproven: tuple[str, ...] = ()


def probe(conn: Connection, policy: SecurityPolicy) -> Access:
    """Try every role on everything, on an autocommit connection; nothing that is tried stays."""
    unproven: list[str] = []
    _known(conn, policy)
    conn.execute("select set_config('search_path', '', false)")
    conn.execute("set lock_timeout = '5s'")
    relations, kinds = {}, {}
    for row in rows(conn, RELATIONS, [list(policy.roles)]):
        kinds[row["name"]] = row["kind"]
        relations[row["name"]] = _relation(conn, policy, row, unproven)
    return Access(relations, _functions(conn, policy), kinds, tuple(unproven))


def _known(conn: Connection, policy: SecurityPolicy) -> None:
    """A policy for roles that the server does not have cannot be judged."""
    query = "select r from unnest(%s::text[]) r where r not in (select rolname from pg_roles)"
    missing = [row[0] for row in conn.execute(query, [list(policy.roles)])]
    if missing:
        raise Refused(
            f"the server has no role {', '.join(missing)}",
            hint="restore the source on a server with the application's roles, or mend roles in"
            " checks/security.toml",
        )


def _relation(
    conn: Connection, policy: SecurityPolicy, row: dict[str, Any], unproven: list[str]
) -> Cells:
    with conn.transaction(force_rollback=True):
        if row["kind"] in ("r", "p"):  # a view needs its triggers
            attempted(conn, QUIET)
        try:
            with conn.transaction():
                subject = specimen(conn, policy, row)
            reason = "has no column to try"
        except psycopg.Error as error:
            subject, reason = None, " ".join(str(error.diag.message_primary or error).split())
        if subject is None:
            unproven.append(f"{row['name']}: {reason}")
            return {role: dict.fromkeys(COMMANDS, "unknown") for role in policy.roles}
        cells = {role: _role(conn, policy, role, subject) for role in policy.roles}
    unproven += [
        f"{role} {command} {row['name']}: {word}"
        for role, words in cells.items()
        for command, word in words.items()
        if word == "unknown"
    ]
    return cells


def _role(
    conn: Connection, policy: SecurityPolicy, role: str, subject: TrialRelation
) -> dict[str, str]:
    """A word for each command; who cannot even name the relation need not be asked four times."""
    try:
        with _acting_as(conn, policy, role):
            first = _try(conn, "select", subject)
            if first == "denied" and role in subject.outside:
                return dict.fromkeys(COMMANDS, "denied")
            rest = {command: _try(conn, command, subject) for command in COMMANDS[1:]}
            return {"select": first, **rest}
    except psycopg.Error:  # the role cannot be taken
        return dict.fromkeys(COMMANDS, "unknown")


def _try(conn: Connection, command: str, subject: TrialRelation) -> str:
    try:
        with conn.transaction(force_rollback=True):
            if command == "select":
                return _share(count(conn, subject.relation), subject.total)
            if command == "insert":
                return _insert(conn, subject)
            return _change(conn, command, subject)
    except psycopg.Error as error:
        return _refusal(error, command)


def _refusal(error: psycopg.Error, command: str) -> str:
    """Privileges and policies are asked before constraints: what only these refuse was let in."""
    state = error.sqlstate or ""
    if state == INSUFFICIENT_PRIVILEGE:
        return "denied"
    if state in IMPOSSIBLE:
        return "impossible"
    if state.startswith(INTEGRITY_VIOLATION):
        return "allowed" if command == "insert" else "all"
    return "unknown"


@contextmanager
def _acting_as(conn: Connection, policy: SecurityPolicy, role: str) -> Iterator[None]:
    """Be the role, with the API's claims, until the block ends and all of it is taken back."""
    settings = {name: text.replace("{role}", role) for name, text in policy.claims.items()}
    settings |= {"row_security": "on", "role": role}
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    with conn.transaction(force_rollback=True):
        pairs = [part for pair in settings.items() for part in pair]
        conn.execute(f"select {calls}".encode(), pairs)
        yield


def _insert(conn: Connection, subject: TrialRelation) -> str:
    columns = sql.SQL(", ").join(column.identifier for column in subject.columns)
    override = "overriding system value" if any(c.fixed for c in subject.columns) else ""
    head = sql.SQL("insert into {} ({}) {} ").format(subject.relation, columns, sql.SQL(override))
    kinds = [sql.SQL(column.type) for column in subject.columns]
    values = sql.SQL(", ").join(sql.SQL("%s::{}").format(kind) for kind in kinds)
    if subject.copy is None:  # the privilege is asked even where no row comes
        nothing = [None] * len(kinds)
        conn.execute(head + sql.SQL("select {} where false").format(values), nothing)
        return "empty"
    conn.execute(head + sql.SQL("values ({})").format(values), subject.copy)
    return "allowed"


def _change(conn: Connection, command: str, subject: TrialRelation) -> str:
    column = next((c for c in (subject.key, *subject.columns) if not c.fixed), subject.key)
    head = (
        sql.SQL("update {0} set {1} = {1}").format(subject.relation, column.identifier)
        if command == "update"
        else sql.SQL("delete from {}").format(subject.relation)
    )
    query = head + sql.SQL(" where {} = any (%s)").format(subject.key.identifier)
    return _share(conn.execute(query, [subject.keys]).rowcount, len(subject.keys))


def _share(found: int, total: int) -> str:
    if total == 0:
        return "empty"
    return "none" if found == 0 else "all" if found >= total else "some"


def _functions(conn: Connection, policy: SecurityPolicy) -> Cells:
    found = rows(conn, FUNCTIONS)
    cells: Cells = {row["name"]: {} for row in found}
    for role in policy.roles:
        try:
            with _acting_as(conn, policy, role):
                for row in found:
                    cells[row["name"]][role] = _execute(conn, row)
        except psycopg.Error:  # the role cannot be taken
            for row in found:
                cells[row["name"]][role] = "unknown"
    return cells


def _execute(conn: Connection, row: dict[str, Any]) -> str:
    """Ask for the function in a statement that never calls it: the server checks the right first.

    What cannot be asked for like that (procedures, aggregates) is judged by the catalog.
    """
    arguments = ", ".join(f"null::{kind}" for kind in row["arguments"])
    try:
        with conn.transaction(force_rollback=True):
            if row["kind"] == "f" and "any" not in arguments:
                conn.execute(f"select {row['called']}({arguments}) where false".encode())
                return "allowed"
            found = conn.execute(
                "select pg_catalog.has_function_privilege(%s, 'execute')", [row["oid"]]
            ).fetchone()
            return "allowed" if found and found[0] else "denied"
    except psycopg.Error as error:
        return "denied" if error.sqlstate == INSUFFICIENT_PRIVILEGE else "unknown"
