"""A privilege is taken away in the middle: from a role that owns the database, and is no superuser.

What it lacks is named, nothing is overwritten, and once it is given back the migration goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from pglast import ast
from psycopg import sql
from psycopg.conninfo import make_conninfo

from harness.database import admin, fingerprint
from harness.database.fingerprint import Fingerprint
from harness.errors import HarnessError
from harness.fault.contention import Rival
from harness.plan import Script
from harness.plan.check import altered, tree
from harness.runner import migrate
from harness.scenario.crash import runners, state
from harness.scenario.crash.contended_look import script
from harness.scenario.crash.contended_strike import CHECKPOINTS
from harness.scenario.crash.contended_walk import Scene, Struck, Walk
from harness.scenario.crash.ground import Ground
from harness.scenario.crash.model import Direction, Point
from harness.scenario.crash.state import Oracle

OWNER, THIEF, PASSWORD = "harness_owner", "harness_thief", "of this server alone"
MAKES: dict[Any, tuple[str, Callable[[Any], str | None]]] = {
    ast.CreateStmt: ("table", lambda node: node.relation.schemaname),
    ast.CreateEnumStmt: ("type", lambda node: node.typeName[0].sval),
    ast.ViewStmt: ("view", lambda node: node.view.schemaname),
    ast.CreateFunctionStmt: ("function", lambda node: node.funcname[0].sval),
    ast.IndexStmt: ("index", lambda node: node.relation.schemaname),
}
"""What makes what, and in which schema."""
OWNED = "select pg_get_userbyid(relowner) from pg_class"
OWNED += " where oid = to_regclass(%s) and relkind in ('r', 'p')"


@dataclass(frozen=True)
class Owned:
    """A walk of the owning role, and the same server as its superuser sees it."""

    scene: Scene
    super_dsn: str

    def above(self, dsn: str) -> str:
        """The superuser's way into one of the owner's databases."""
        return admin.with_dbname(self.super_dsn, admin.dbname(dsn))

    def execute(self, dsn: str, statement: str) -> None:
        """Execute as the superuser in one of the owner's databases."""
        with admin.connection(self.above(dsn)) as conn:
            conn.execute(statement.encode())

    def fingerprint(self, dsn: str) -> Fingerprint:
        """As the superuser takes it: the owner may not read what was taken from it."""
        return fingerprint.take(self.above(dsn), workers=1)


def prepare(ground: Ground, super_dsn: str) -> tuple[Ground, str] | None:
    """A ground on which the owner runs the plan, and its DSN; None when the plan needs more.

    Baseline and rows are the owner's own; the roles of the plan's baseline are there already.
    """
    with admin.connection(super_dsn) as conn:
        for role in (OWNER, THIEF):
            with suppress(psycopg.errors.DuplicateObject):
                conn.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        conn.execute(
            sql.SQL("alter role {} login createdb password {}").format(
                sql.Identifier(OWNER), sql.Literal(PASSWORD)
            )
        )
    dsn = make_conninfo(super_dsn, user=OWNER, password=PASSWORD)
    name = admin.unique_name("harness_owned")
    try:
        own = ground.furnish(dsn, name)
        before = fingerprint.take(own, workers=1)
        migrate(own, ground.sweeping())
        return replace(ground, before=before, after=fingerprint.take(own, workers=1)), dsn
    except (HarnessError, psycopg.Error):
        return None
    finally:
        admin.drop(super_dsn, name)


def owned(ground: Ground, super_dsn: str, direction: Direction) -> Owned | None:
    """A walk of the owner, if the plan allows one that is no superuser."""
    prepared = prepare(ground, super_dsn)
    if prepared is None:
        return None
    its, dsn = prepared
    return Owned(Scene(its, Walk(its, dsn, direction), Oracle(its, dsn)), super_dsn)


def faults(walk: Walk) -> list[tuple[str, str]]:
    """Steps and boundaries: the first step that makes each kind of object, and each table altered.

    Uses the walk up.
    """
    found: list[tuple[str, str]] = []
    kinds: set[str] = set()
    tables: set[str] = set()
    for number, step in enumerate(walk.steps):
        of = script(walk, step)
        fresh = [kind for kind in dict.fromkeys(makes(of)) if kind not in kinds]
        kinds.update(fresh)
        found += [(step, f"create-{kind}") for kind in fresh]
        if "table" in fresh or ("view" in fresh and "running" not in kinds):
            kinds.add("running")
            found += [(step, "running")] if number else []
        for table in sorted(altered(of) - tables):
            walk.to(step)
            if _owner(walk.dsn, table) == OWNER:
                tables.add(table)
                found.append((step, f"own-{table}"))
    return found


def makes(of: Script) -> Iterator[str]:
    """The kinds of objects that a script makes in schema public."""
    if of.nothing is not None or of.kind == "batch":
        return
    for statement in of.statements:
        node = tree(statement)
        made = MAKES.get(type(node))
        if made and made[1](node) == "public":
            yield made[0]


def _owner(dsn: str, table: str) -> str | None:
    with admin.connection(dsn) as conn:
        row = conn.execute(OWNED, [sql.Identifier(*table.split(".", 1)).as_string(conn)]).fetchone()
    return None if row is None else str(row[0])


def strike(its: Owned, point: Point) -> Struck:
    """Take it away, run, give it back, and run on."""
    scene = its.scene
    what, _, name = point.boundary.partition("-")
    do, undo, names = _revoke(what, name)
    with scene.walk.copy() as dsn:
        if what == "running":
            error, status = _while_running(its, dsn, do)
            before = None
        else:
            its.execute(dsn, do)
            before = its.fingerprint(dsn)
            ending = runners.run(scene.ground, scene.direction, dsn)
            error, status = ending.error, ending.status
        state.settle(scene.walk.server_dsn, admin.dbname(dsn))
        reasons = list(_badly_named(status, error, names))
        if before is not None:
            after = its.fingerprint(dsn)
            reasons += state.differences(before, after, "after the failure")
        its.execute(dsn, undo)
        where, bad = scene.judged(dsn)
        return Struck(status != 0, error, (*reasons, *bad), where)


def _revoke(what: str, name: str) -> tuple[str, str, str]:
    """How to take it away, how to give it back, and what the error must say."""
    if what != "own":
        change = "alter schema public owner to {}"
        denied = r"permission denied for schema public \(SQLSTATE 42501"
        return change.format(THIEF), change.format("pg_database_owner"), denied
    table = sql.Identifier(*name.split(".", 1)).as_string(None)
    change = f"alter table {table} owner to "
    return change + THIEF, change + OWNER, re.escape(name)


def _badly_named(status: int, error: str, names: str) -> Iterator[str]:
    if status != 1:
        yield f"ended with status {status}, not 1: {error or 'nothing was said'}"
    if not re.search(names, error):
        yield f"the error does not say what is lacking: {error}"


def _while_running(its: Owned, dsn: str, do: str) -> tuple[str, int]:
    """Hold the runner at the checkpoint of a step, and take the privilege away meanwhile."""
    scene = its.scene
    plan = scene.ground.sweeping(lock_timeout=30.0)
    with Rival(its.above(dsn)) as rival:
        rival.lock(CHECKPOINTS, "share")
        with runners.start(scene.ground, scene.direction, dsn, plan, close=rival.sockets) as runner:
            rival.until_blocking()
            its.execute(dsn, do)
            rival.close()
            ending = runner.wait()
    return ending.error, ending.status
