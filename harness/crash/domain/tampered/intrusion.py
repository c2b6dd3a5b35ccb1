"""The database changed by somebody else: what a step is about to make is there, or what it needs
is not. The error names it, the foreign object stays, and once it is gone the migration goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg
from pglast import ast
from pglast.enums import AlterTableType, ConstrType, ObjectType
from psycopg import sql

from harness.core.exit_status import ExitStatus
from harness.crash import runners, state
from harness.crash.model import Point
from harness.crash.run.cursor import RunCursor, Scene
from harness.crash.run.outcome import FaultOutcome
from harness.database import admin
from harness.plan import Script
from harness.plan.check import tree

FOREIGN = "harness_foreign"
AWAY = "harness_away"
FAULTS = ("foreign", "renamed", "used")
Name = tuple[str, ...]


@dataclass(frozen=True)
class Intrusion:
    """What somebody does before a step, how it is undone, and the name the error must bear.

    `kind` says what: a table, a column, …; "renamed" and "used" stand for what is taken away from
    the step, and for what hangs on a thing that it drops.
    """

    kind: str
    name: Name
    do: str
    undo: str

    @property
    def has_schema(self) -> bool:
        """Whether it says in which schema it is: elsewhere nobody would notice it."""
        return self.kind == "schema" or (len(self.name) > 1 and bool(self.name[0]))

    @property
    def boundary(self) -> str:
        """As a point's boundary."""
        return f"{self.kind}={quote('.'.join(self.name), safe='.')}"

    @property
    def fault(self) -> str:
        """As a point's fault."""
        what = self.kind.split("-")[0]
        return what if what in FAULTS else "foreign"


def intrusions(of: Script) -> Iterator[Intrusion]:
    """Everything that the statements of a script can be kept from."""
    if of.nothing is not None:
        return
    nodes = [tree(statement, batch=of.kind == "batch") for statement in of.statements]
    new = {_qualified(node.view) for node in nodes if isinstance(node, ast.ViewStmt)}
    for node in nodes:
        for kind, find in FINDERS.items():
            if isinstance(node, kind):
                # what hangs on a view of the script cannot be there before the view is
                yield from (
                    one for one in find(node) if one.name[:-1] not in new and one.has_schema
                )


def possible(cursor: RunCursor, step: str, dsn: str) -> list[Intrusion]:
    """Those that can be done just before a step, one of a kind: tried, and rolled back."""
    found: dict[str, Intrusion] = {}
    for one in intrusions(cursor.script(step)):
        if one.kind not in found and _can(dsn, one):
            found[one.kind] = one
    return list(found.values())


def _can(dsn: str, intrusion: Intrusion) -> bool:
    with admin.connection(dsn) as conn:
        conn.execute("begin")
        try:
            conn.execute(intrusion.do.encode())
            conn.execute(intrusion.undo.encode())
        except psycopg.Error:
            return False
        finally:
            conn.execute("rollback")
    return True


def strike(scene: Scene, point: Point) -> FaultOutcome:
    """Intrude before a step: it fails by name, nothing is overwritten; undone, it goes on."""
    of = scene.cursor.script(point.step)
    intrusion = next(one for one in intrusions(of) if one.boundary == point.boundary)
    with scene.cursor.copy() as dsn:
        _execute(dsn, intrusion.do)
        before = scene.ground.identity(dsn)
        ending = runners.run(scene.ground, scene.direction, dsn)
        state.settle(scene.cursor.server_dsn, admin.dbname(dsn))
        if ending.done:
            return FaultOutcome(True, "the run went on", (f"{intrusion.boundary} was not noticed",))
        reasons = list(_badly_named(ending.status, ending.error, intrusion, of))
        reasons += state.compared(scene.ground, before, dsn, "after the failure")
        if not reasons:
            _execute(dsn, intrusion.undo)
        where, bad = scene.judged(dsn) if not reasons else ("", ())
        return FaultOutcome(True, ending.error, (*reasons, *bad), where)


def _badly_named(status: int, error: str, intrusion: Intrusion, of: Script) -> Iterator[str]:
    if status != ExitStatus.FAILED:
        yield f"ended with status {status}, not 1: {error or 'a crash'}"
    for name in (intrusion.name[-1], of.name):
        if name not in error:
            yield f"the error does not name {name}: {error}"


def _execute(dsn: str, statement: str) -> None:
    with admin.connection(dsn) as conn:
        conn.execute(statement.encode())


def _q(*parts: str) -> str:
    return sql.Identifier(*parts).as_string(None)


def _qualified(node: Any) -> Name:
    """A relation's schema and name; the schema is empty where the statement says none."""
    return (node.schemaname or "", node.relname)


def _strings(nodes: Any) -> Name:
    return tuple(node.sval for node in nodes)


def _table(node: Any) -> Iterator[Intrusion]:
    name = _qualified(node.relation)
    yield _made("table", name, f"create table {_q(*name)} ({FOREIGN} integer)")


def _view(node: Any) -> Iterator[Intrusion]:
    if not node.replace:
        name = _qualified(node.view)
        yield _made("view", name, f"create view {_q(*name)} as select 1 as {FOREIGN}")


def _enum(node: Any) -> Iterator[Intrusion]:
    name = _strings(node.typeName)
    yield _made("type", name, f"create type {_q(*name)} as enum ('foreign')")


def _schema(node: Any) -> Iterator[Intrusion]:
    yield _made("schema", (node.schemaname,), f"create schema {_q(node.schemaname)}")


def _sequence(node: Any) -> Iterator[Intrusion]:
    name = _qualified(node.sequence)
    yield _made("sequence", name, f"create sequence {_q(*name)}")


def _function(node: Any) -> Iterator[Intrusion]:
    """Only those without parameters: the foreign one must have the same."""
    if not node.replace and not node.parameters:
        name = _strings(node.funcname)
        yield _made(
            "function",
            name,
            f"create function {_q(*name)}() returns trigger language plpgsql"
            " as 'begin return null; end'",
        )


def _made(kind: str, name: Name, do: str) -> Intrusion:
    return Intrusion(kind, name, do, f"drop {kind} {_q(*name)}")


def _index(node: Any) -> Iterator[Intrusion]:
    table = _qualified(node.relation)
    name = (table[0], node.idxname)
    do = f"create index {_q(node.idxname)} on {_q(*table)} ((1))"
    yield Intrusion("index", name, do, f"drop index {_q(*name)}")


def _trigger(node: Any) -> Iterator[Intrusion]:
    table = _qualified(node.relation)
    do = (
        f"create trigger {_q(node.trigname)} before update on {_q(*table)} for each row"
        " execute function pg_catalog.suppress_redundant_updates_trigger()"
    )
    undo = f"drop trigger {_q(node.trigname)} on {_q(*table)}"
    yield Intrusion("trigger", (*table, node.trigname), do, undo)


def _policy(node: Any) -> Iterator[Intrusion]:
    table = _qualified(node.table)
    do = f"create policy {_q(node.policy_name)} on {_q(*table)} using (false)"
    undo = f"drop policy {_q(node.policy_name)} on {_q(*table)}"
    yield Intrusion("policy", (*table, node.policy_name), do, undo)


def _alter(node: Any) -> Iterator[Intrusion]:
    if node.objtype != ObjectType.OBJECT_TABLE:
        return
    name = _qualified(node.relation)
    table = f"alter table {_q(*name)}"
    for command in node.cmds:
        if command.subtype == AlterTableType.AT_AddColumn:
            column = command.def_.colname
            do, undo = f"add column {_q(column)} text", f"drop column {_q(column)}"
            yield Intrusion("column", (*name, column), f"{table} {do}", f"{table} {undo}")
        elif command.subtype == AlterTableType.AT_AddConstraint and command.def_.conname:
            called = command.def_.conname
            if command.def_.contype == ConstrType.CONSTR_CHECK:
                do = f"{table} add constraint {_q(called)} check (true) not valid"
                undo = f"{table} drop constraint {_q(called)}"
                yield Intrusion("constraint", (*name, called), do, undo)
        elif command.subtype == AlterTableType.AT_ValidateConstraint:
            yield _renamed("constraint", name, command.name)
        elif command.subtype == AlterTableType.AT_DropColumn:
            yield _used("column", (*name, command.name), _q(*name), _q(command.name))


def _update(node: Any) -> Iterator[Intrusion]:
    yield _renamed("column", _qualified(node.relation), node.targetList[0].name)


def _renamed(what: str, table: Name, name: str) -> Intrusion:
    """What a step needs of a table bears another name."""
    rename = f"alter table {_q(*table)} rename {what} "
    return Intrusion(
        f"renamed-{what}",
        (*table, name),
        f"{rename}{_q(name)} to {AWAY}",
        f"{rename}{AWAY} to {_q(name)}",
    )


def _used(what: str, name: Name, relation: str, columns: str = "count(*)") -> Intrusion:
    """A foreign view hangs on what a step drops."""
    view = _q(name[0], FOREIGN)
    do = f"create view {view} as select {columns} from {relation}"  # noqa: S608 - quoted names
    return Intrusion(f"used-{what}", name, do, f"drop view {view}")


def _drop(node: Any) -> Iterator[Intrusion]:
    for named in node.objects:
        if node.removeType == ObjectType.OBJECT_TABLE:
            yield _used("table", _strings(named), _q(*_strings(named)))
        elif node.removeType == ObjectType.OBJECT_VIEW:
            yield _used("view", _strings(named), _q(*_strings(named)))
        elif node.removeType == ObjectType.OBJECT_TYPE:
            name = _strings(named.names)
            table = _q(name[0], FOREIGN)
            do = f"create table {table} (of_it {_q(*name)})"
            yield Intrusion("used-type", name, do, f"drop table {table}")
        elif node.removeType in (ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_POLICY):
            what = "trigger" if node.removeType == ObjectType.OBJECT_TRIGGER else "policy"
            yield _renamed_of(what, _strings(named))


def _renamed_of(what: str, name: Name) -> Intrusion:
    """A trigger or policy that a step drops bears another name."""
    table = _q(*name[:-1])
    return Intrusion(
        f"renamed-{what}",
        name,
        f"alter {what} {_q(name[-1])} on {table} rename to {AWAY}",
        f"alter {what} {AWAY} on {table} rename to {_q(name[-1])}",
    )


FINDERS: dict[Any, Any] = {
    ast.CreateStmt: _table,
    ast.ViewStmt: _view,
    ast.CreateEnumStmt: _enum,
    ast.CreateSchemaStmt: _schema,
    ast.CreateSeqStmt: _sequence,
    ast.CreateFunctionStmt: _function,
    ast.IndexStmt: _index,
    ast.CreateTrigStmt: _trigger,
    ast.CreatePolicyStmt: _policy,
    ast.AlterTableStmt: _alter,
    ast.UpdateStmt: _update,
    ast.DropStmt: _drop,
}
