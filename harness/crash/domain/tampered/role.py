"""What a run needs is taken from it in the middle: a privilege is revoked, a table changes hands.

What it lacks is named, nothing is overwritten, and once it is given back the migration goes on.
That it was taken is the catalog's word: a run may fail for other reasons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from pglast import ast
from psycopg import sql

from harness.core.exit_status import ExitStatus
from harness.core.sqlstate import INSUFFICIENT_PRIVILEGE
from harness.crash import runners, state
from harness.crash.domain.contended.strike import CHECKPOINTS
from harness.crash.domain.tampered.owner import OWNER, THIEF, Owned
from harness.crash.model import Point
from harness.crash.run.cursor import RunCursor
from harness.crash.run.outcome import FaultOutcome
from harness.database import admin
from harness.fault.contention import Rival
from harness.fault.process import Ending
from harness.plan import Script
from harness.plan.check import altered, tree

REVOKED, DISOWNED = FAULTS = ("revoked", "disowned")
MAKES: dict[Any, tuple[str, Callable[[Any], str | None]]] = {
    ast.CreateStmt: ("table", lambda node: node.relation.schemaname),
    ast.CreateEnumStmt: ("type", lambda node: node.typeName[0].sval),
    ast.ViewStmt: ("view", lambda node: node.view.schemaname),
    ast.CreateFunctionStmt: ("function", lambda node: node.funcname[0].sval),
    ast.IndexStmt: ("index", lambda node: node.relation.schemaname),
}
"""What makes what, and in which schema."""
WRITES = {ast.InsertStmt: "insert", ast.UpdateStmt: "update", ast.DeleteStmt: "delete"}
OWNED = "select pg_get_userbyid(relowner) from pg_class"
OWNED += " where oid = to_regclass(%s) and relkind in ('r', 'p')"
KEPT = "update pg_catalog.pg_class set relacl = {acl}::aclitem[] where oid = to_regclass({table})"
"""Gives a privilege back as it was: without any grant at all is another state than with all."""
MAY_CREATE = """
select has_schema_privilege(%s, n.oid, 'create') from pg_namespace n where n.nspname = %s
"""
ACL_OF_SCHEMA = "select nspacl::text from pg_namespace where nspname = {schema}"
KEPT_SCHEMA = (
    "update pg_catalog.pg_namespace set nspacl = {acl}::aclitem[] where nspname = {schema}"
)
CREATORS = """
select string_agg(a.grantee::regrole::text, ', ')
from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
where n.nspname = {schema} and a.privilege_type = 'CREATE' and a.grantee <> 0
    and pg_has_role('{owner}', a.grantee, 'usage')
"""
Taken = tuple[str, str, str]  # a step, a boundary and the fault there


@dataclass(frozen=True)
class Right:
    """How something is taken and given back, who tells whether the owner has it, and what the
    runner's error must say.
    """

    take: str
    give: str
    holds: str
    says: str


def faults(cursor: RunCursor) -> list[Taken]:
    """What can be taken where: before the first step that makes each kind of object, that writes so
    in a kind of step, and that alters each table; and while another runs. Uses the cursor up.
    """
    found: list[Taken] = []
    kinds: set[str] = set()
    tables: set[str] = set()
    written: set[tuple[str, str]] = set()
    for number, step in enumerate(cursor.steps):
        of = cursor.script(step)
        made = [
            kind for kind, schema in first_schemas(of).items() if _may_create(cursor, step, schema)
        ]
        found += [(step, f"create-{kind}", REVOKED) for kind in made if kind not in kinds]
        kinds.update(made)
        if made and number and "running" not in kinds:  # held at the step before
            kinds.add("running")
            found.append((step, "running", REVOKED))
        for verb, table in dict.fromkeys(writes(of)):
            if (of.kind, verb) not in written and _is_owned(cursor, step, table):
                written.add((of.kind, verb))
                found.append((step, f"{verb}-{quote(table, safe='.')}", REVOKED))
        for table in sorted(altered(of) - tables):
            if _is_owned(cursor, step, table):
                tables.add(table)
                found.append((step, f"own-{quote(table, safe='.')}", DISOWNED))
    return found


def makes(of: Script) -> Iterator[tuple[str, str]]:
    """The kinds of objects that a script makes, and in which schema each."""
    if of.nothing is not None or of.kind == "batch":
        return
    for statement in of.statements:
        node = tree(statement)
        made = MAKES.get(type(node))
        schema = made[1](node) if made else None
        if made and schema:
            yield made[0], schema


def first_schemas(of: Script) -> dict[str, str]:
    """Every kind of object that a script makes, and the schema of the first of the kind."""
    found: dict[str, str] = {}
    for kind, schema in makes(of):
        found.setdefault(kind, schema)
    return found


def writes(of: Script) -> Iterator[tuple[str, str]]:
    """How a script writes to which tables."""
    if of.nothing is not None:
        return
    for statement in of.statements:
        node = tree(statement, batch=of.kind == "batch")
        verb = WRITES.get(type(node))
        if verb and node.relation.schemaname:
            yield verb, f"{node.relation.schemaname}.{node.relation.relname}"


def _may_create(cursor: RunCursor, step: str, schema: str) -> bool:
    """Whether the owner may make something in a schema that is there just before a step."""
    cursor.to(step)
    with admin.connection(cursor.dsn) as conn:
        row = conn.execute(MAY_CREATE, [OWNER, schema]).fetchone()
    return row is not None and bool(row[0])


def _is_owned(cursor: RunCursor, step: str, table: str) -> bool:
    """Whether a table is the owner's just before a step; one that is not there yet is nobody's."""
    cursor.to(step)
    with admin.connection(cursor.dsn) as conn:
        row = conn.execute(OWNED, [_identifier(table)]).fetchone()
    return row is not None and row[0] == OWNER


def _identifier(table: str) -> str:
    return sql.Identifier(*table.split(".", 1)).as_string(None)


def strike(its: Owned, point: Point) -> FaultOutcome:
    """Take it away, run, give it back, and run on."""
    scene = its.scene
    with scene.cursor.copy() as dsn:
        right = _right(its, dsn, point.step, point.boundary)
        had = its.ask(dsn, right.holds)
        reasons: list[str] = []
        if point.boundary == "running":
            ending = _while_running(its, dsn, right.take)
        else:
            its.execute(dsn, right.take)
            before = its.fingerprint(dsn)
            ending = runners.run(scene.ground, scene.direction, dsn)
            state.settle(scene.cursor.server_dsn, admin.dbname(dsn))
            reasons += state.compared(scene.ground, before, its.above(dsn), "after the failure")
        fired = bool(had) and not its.ask(dsn, right.holds)
        reasons += _badly_named(ending, right.says)
        its.execute(dsn, right.give)
        where, bad = scene.judged(dsn)
        said = ending.error or f"status {ending.status}"
        return FaultOutcome(fired, f"{right.take}: {said}", (*reasons, *bad), where)


def _right(its: Owned, dsn: str, step: str, boundary: str) -> Right:
    """What a boundary takes from the owner, in a database where it is still there."""
    what, _, name = boundary.partition("-")
    if what in ("create", "running"):
        made = first_schemas(its.scene.cursor.script(step))
        schemas = [made[name]] if name else list(made.values())
        rights = [_right_to_create(its, dsn, schema) for schema in schemas]
        return next((right for right in rights if its.ask(dsn, right.holds)), rights[0])
    table = _identifier(unquote(name))
    literal = sql.Literal(table).as_string(None)
    of = f"from pg_catalog.pg_class where oid = to_regclass({literal})"
    if what == "own":
        change = f"alter table {table} owner to "
        holds = f"select pg_get_userbyid(relowner) = '{OWNER}' {of}"
        says = f"{re.escape(unquote(name))}|{re.escape(table)}"  # with quotes where SQL needs them
        return Right(change + THIEF, change + OWNER, holds, says)
    acl = sql.Literal(its.ask(dsn, f"select relacl::text {of}")).as_string(None)
    denied = re.escape(unquote(name).partition(".")[2])
    return Right(
        f"revoke {what} on {table} from {OWNER}",
        KEPT.format(acl=acl, table=literal),
        f"select has_table_privilege('{OWNER}', {literal}, '{what}')",
        rf"permission denied for table {denied} \(SQLSTATE {INSUFFICIENT_PRIVILEGE}",
    )


def _right_to_create(its: Owned, dsn: str, schema: str) -> Right:
    """The right to make something in a schema: the owner's own, or that of a role it is in."""
    name = sql.Identifier(schema).as_string(None)
    literal = sql.Literal(schema).as_string(None)
    acl = sql.Literal(its.ask(dsn, ACL_OF_SCHEMA.format(schema=literal))).as_string(None)
    roles = its.ask(dsn, CREATORS.format(owner=OWNER, schema=literal)) or OWNER
    return Right(
        f"revoke create on schema {name} from {roles}",
        KEPT_SCHEMA.format(acl=acl, schema=literal),
        f"select has_schema_privilege('{OWNER}', {literal}, 'create')",
        rf"permission denied for schema {re.escape(schema)} \(SQLSTATE {INSUFFICIENT_PRIVILEGE}",
    )


def _badly_named(ending: Ending, says: str) -> Iterator[str]:
    if ending.status != ExitStatus.FAILED:
        yield f"ended with status {ending.status}, not 1: {ending.error or 'nothing was said'}"
    if not re.search(says, ending.error):
        yield f"the error does not say what is lacking: {ending.error}"


def _while_running(its: Owned, dsn: str, take: str) -> Ending:
    """Hold the runner at the checkpoint of a step, and take the privilege away meanwhile."""
    scene = its.scene
    plan = scene.ground.sweeping(lock_timeout=30.0)
    with Rival(its.above(dsn)) as rival:
        rival.lock(CHECKPOINTS, "share")
        with runners.start(scene.ground, scene.direction, dsn, plan, close=rival.sockets) as runner:
            rival.until_blocking()
            its.execute(dsn, take)
            rival.close()
            ending = runner.wait()
    state.settle(scene.cursor.server_dsn, admin.dbname(dsn))
    return ending
