"""What a plan's statements write and make, read off their parse trees.

What DO blocks and functions do at run time is not seen here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pglast import ast
from pglast.enums import AlterTableType, ObjectType
from pglast.visitors import Visitor

from harness.plan import Plan, Script
from harness.plan.check import tree

Name = tuple[str, ...]
"""The kind of an object, what it stands in or on (schema or relation), its name, its arguments."""

TYPES: Final = {
    ast.CreateEnumStmt: "typeName",
    ast.CreateRangeStmt: "typeName",
    ast.CreateDomainStmt: "domainname",
}
DROPPED: Final = {
    ObjectType.OBJECT_TABLE: "relation",
    ObjectType.OBJECT_VIEW: "relation",
    ObjectType.OBJECT_MATVIEW: "relation",
    ObjectType.OBJECT_INDEX: "relation",
    ObjectType.OBJECT_SEQUENCE: "relation",
}

RESULTS: Final = ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")


@dataclass(frozen=True)
class StatementWrite:
    """Rows that a statement writes. `columns` are those of an update; None: any."""

    relation: str
    event: str
    columns: frozenset[str] | None = None


def writes(plan: Plan) -> frozenset[StatementWrite]:
    """Every write of the steps, forward and back, to relations that are named with a schema."""
    found: set[StatementWrite] = set()
    for step in plan.steps:
        for script in (step.forward, step.rollback):
            for node in _trees(script):
                seen = _Writes()
                seen(node)
                found |= seen.found
    return frozenset(found)


def made(plan: Plan) -> frozenset[Name]:
    """Names that must be free when the plan starts: what the forward steps make.

    Not what the baseline has already, nor what a step before drops or renames, nor what may be
    there (IF NOT EXISTS, OR REPLACE).
    """
    known = {name for script in plan.baseline for node in _trees(script) for name in _made(node)}
    found: set[Name] = set()
    freed: set[Name] = set()
    for step in plan.steps:
        for node in _trees(step.forward):
            freed |= set(_freed(node))
            found |= set(_made(node)) - freed - known
    return frozenset(found)


def triggers(plan: Plan) -> frozenset[tuple[str, str]]:
    """Triggers that the baseline brings, by table and name: the plan knows what they do."""
    found = {name for script in plan.baseline for node in _trees(script) for name in _made_on(node)}
    return frozenset((name[1], name[2]) for name in found if name[0] == "trigger")


def _trees(script: Script) -> Iterator[Any]:
    for statement in script.statements:
        yield tree(statement, script.kind == "batch")


class _Writes(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[StatementWrite] = set()

    def _add(self, relation: Any, event: str, columns: frozenset[str] | None = None) -> None:
        if relation is not None and relation.schemaname:
            self.found.add(
                StatementWrite(f"{relation.schemaname}.{relation.relname}", event, columns)
            )

    def visit_UpdateStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        columns = frozenset(target.name for target in node.targetList or ())
        self._add(node.relation, "update", columns)

    def visit_InsertStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - likewise
        self._add(node.relation, "insert")
        if node.onConflictClause is not None and node.onConflictClause.targetList:
            columns = frozenset(target.name for target in node.onConflictClause.targetList)
            self._add(node.relation, "update", columns)

    def visit_DeleteStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - likewise
        self._add(node.relation, "delete")

    def visit_MergeStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - likewise
        for event in ("insert", "update", "delete"):
            self._add(node.relation, event)


def _is(node: Any, kind: type) -> bool:
    return isinstance(node, kind)  # not narrowed: pglast types every field as optional


def _made(node: Any) -> Iterator[Name]:
    if getattr(node, "if_not_exists", False) or getattr(node, "replace", False):
        return
    if _is(node, ast.CreateStmt):
        yield from _relation(node.relation)
    elif _is(node, ast.ViewStmt):
        yield from _relation(node.view)
    elif _is(node, ast.CreateTableAsStmt):
        yield from _relation(node.into.rel)
    elif _is(node, ast.CreateSeqStmt):
        yield from _relation(node.sequence)
    elif _is(node, ast.IndexStmt) and node.idxname and node.relation.schemaname:
        yield ("relation", node.relation.schemaname, node.idxname)
    elif _is(node, ast.CreateFunctionStmt):
        yield from _function(node)
    else:
        yield from _made_type(node)
        yield from _made_on(node)


def _made_type(node: Any) -> Iterator[Name]:
    if type(node) in TYPES:
        names = [part.sval for part in getattr(node, TYPES[type(node)])]
        if len(names) == 2:
            yield ("type", *names)
    elif _is(node, ast.CompositeTypeStmt) and node.typevar.schemaname:
        yield ("type", node.typevar.schemaname, node.typevar.relname)


def _made_on(node: Any) -> Iterator[Name]:
    """What stands on a relation: triggers, policies, columns, constraints."""
    if _is(node, ast.CreateTrigStmt) and node.relation.schemaname:
        yield ("trigger", _on(node.relation), node.trigname)
    elif _is(node, ast.CreatePolicyStmt) and node.table.schemaname:
        yield ("policy", _on(node.table), node.policy_name)
    elif _is(node, ast.AlterTableStmt) and node.relation.schemaname:
        for command in node.cmds or ():
            if command.subtype == AlterTableType.AT_AddColumn and not command.missing_ok:
                yield ("column", _on(node.relation), command.def_.colname)
            elif command.subtype == AlterTableType.AT_AddConstraint and command.def_.conname:
                yield ("constraint", _on(node.relation), command.def_.conname)


def _freed(node: Any) -> Iterator[Name]:
    """Names that a statement takes away, so that a later one may use them again."""
    if _is(node, ast.DropStmt):
        yield from _dropped(node)
    elif _is(node, ast.RenameStmt) and getattr(node.relation, "schemaname", None):
        if node.renameType == ObjectType.OBJECT_COLUMN:
            yield ("column", _on(node.relation), node.subname)
        elif node.renameType in DROPPED:
            yield from _relation(node.relation)
    elif _is(node, ast.AlterTableStmt) and node.relation.schemaname:
        for command in node.cmds or ():
            if command.subtype == AlterTableType.AT_DropColumn:
                yield ("column", _on(node.relation), command.name)
            elif command.subtype == AlterTableType.AT_DropConstraint:
                yield ("constraint", _on(node.relation), command.name)


def _dropped(node: Any) -> Iterator[Name]:
    for item in node.objects:
        if node.removeType in DROPPED and len(item) == 2:
            yield ("relation", *(part.sval for part in item))
        elif node.removeType == ObjectType.OBJECT_TYPE and len(item.names) == 2:
            yield ("type", *(part.sval for part in item.names))
        elif node.removeType == ObjectType.OBJECT_FUNCTION and len(item.objname) == 2:
            names = [part.sval for part in item.objname]
            yield ("function", *names, _types(item.objargs or ()))
        elif node.removeType in (ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_POLICY):
            *relation, name = (part.sval for part in item)
            kind = "trigger" if node.removeType == ObjectType.OBJECT_TRIGGER else "policy"
            yield (kind, ".".join(relation), name)


def _relation(node: Any) -> Iterator[Name]:
    if node.schemaname:
        yield ("relation", node.schemaname, node.relname)


def _on(relation: Any) -> str:
    return f"{relation.schemaname}.{relation.relname}"


def _function(node: Any) -> Iterator[Name]:
    names = [part.sval for part in node.funcname]
    if len(names) == 2:
        given = [one for one in node.parameters or () if one.mode.name not in RESULTS]
        yield ("function", *names, _types(parameter.argType for parameter in given))


def _types(types: Iterable[Any]) -> str:
    """The names of types without their schemas, as pg_type has them."""
    return ",".join("_" * bool(kind.arrayBounds) + kind.names[-1].sval for kind in types)
