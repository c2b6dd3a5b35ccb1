"""The tables that a script locks so that users must wait, as far as its text says it.

Of a DO block its own statements are read. What a function locks, and what a block puts together as
it runs, is not seen here (block_locks.unseen_locks says where): such a lock is only bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pglast import ast
from pglast.enums import AlterTableType, ConstrType, ObjectType
from pglast.parser import ParseError

from harness.plan.block_locks import read_block
from harness.plan.check import tree
from harness.plan.model import Script
from harness.plan.search_path import schema_names

Stops = Literal["writes", "everything"]
Name = tuple[str | None, str]
SHARE = 5
ACCESS_EXCLUSIVE = 8
QUIET = {
    AlterTableType.AT_ValidateConstraint,
    AlterTableType.AT_SetStatistics,
    AlterTableType.AT_SetOptions,
    AlterTableType.AT_ResetOptions,
    AlterTableType.AT_SetRelOptions,
    AlterTableType.AT_ResetRelOptions,
    AlterTableType.AT_ClusterOn,
    AlterTableType.AT_DropCluster,
    AlterTableType.AT_AttachPartition,
}
"""What ALTER TABLE does beside readers and writers."""
TRIGGERS = {
    AlterTableType.AT_EnableTrig,
    AlterTableType.AT_EnableAlwaysTrig,
    AlterTableType.AT_EnableReplicaTrig,
    AlterTableType.AT_DisableTrig,
    AlterTableType.AT_EnableTrigAll,
    AlterTableType.AT_DisableTrigAll,
    AlterTableType.AT_EnableTrigUser,
    AlterTableType.AT_DisableTrigUser,
}
ON_TABLE = (ObjectType.OBJECT_TRIGGER, ObjectType.OBJECT_POLICY, ObjectType.OBJECT_RULE)
RELATIONS = (
    ObjectType.OBJECT_TABLE,
    ObjectType.OBJECT_VIEW,
    ObjectType.OBJECT_MATVIEW,
    ObjectType.OBJECT_INDEX,
    ObjectType.OBJECT_FOREIGN_TABLE,
)


@dataclass(frozen=True)
class StrongLock:
    """A relation, by the names under which it may be found, and what a lock on it stops."""

    names: tuple[str, ...]
    stops: Stops


def strong_locks(script: Script) -> tuple[StrongLock, ...]:
    """Each relation once, with the strongest lock that a statement of the script takes on it."""
    path = schema_names(dict(script.settings).get("search_path", ""))
    found: dict[tuple[str, ...], Stops] = {}
    for statement in script.statements:
        for name, stops in _of(statement):
            names = tuple(_qualified(name, path))
            if names and found.get(names) != "everything":
                found[names] = stops
    return tuple(StrongLock(names, stops) for names, stops in found.items())


def _of(statement: Any) -> Iterator[tuple[Name, Stops]]:
    try:
        node = tree(statement)
    except ParseError:
        return
    nodes = read_block(statement.text, node).nodes if isinstance(node, ast.DoStmt) else (node,)
    for one in nodes:
        for kind, read in READERS.items():
            if isinstance(one, kind):
                yield from read(one)


def _qualified(name: Name, path: tuple[str, ...]) -> Iterator[str]:
    schema, relation = name
    for one in (schema,) if schema else path:
        yield ".".join('"' + part.replace('"', '""') + '"' for part in (one, relation))


def _name(relation: Any) -> Name:
    return relation.schemaname, relation.relname


def _words(parts: Iterable[Any]) -> Name:
    texts = [part.sval for part in parts]
    return (texts[-2] if len(texts) > 1 else None), texts[-1]


def _altered(node: Any) -> Iterator[tuple[Name, Stops]]:
    foreign = [command.def_ for command in node.cmds if _is_foreign_key(command)]
    kinds = {command.subtype for command in node.cmds if not _is_foreign_key(command)} - QUIET
    if kinds or foreign:
        yield _name(node.relation), "everything" if kinds - TRIGGERS else "writes"
    for key in foreign:
        yield _name(key.pktable), "writes"


def _is_foreign_key(command: Any) -> bool:
    constraint = command.def_
    return (
        command.subtype == AlterTableType.AT_AddConstraint
        and isinstance(constraint, ast.Constraint)
        and constraint.contype == ConstrType.CONSTR_FOREIGN
    )


def _dropped(node: Any) -> Iterator[tuple[Name, Stops]]:
    for parts in node.objects if not node.concurrent else ():
        if node.removeType in ON_TABLE:
            yield _words(parts[:-1]), "everything"
        elif node.removeType in RELATIONS:
            yield _words(parts), "everything"


def _locked(node: Any) -> Iterator[tuple[Name, Stops]]:
    if node.mode >= SHARE:
        stops: Stops = "everything" if node.mode == ACCESS_EXCLUSIVE else "writes"
        yield from ((_name(one), stops) for one in node.relations)


def _made(node: Any) -> Iterator[tuple[Name, Stops]]:
    for element in node.tableElts or ():
        constraints = (element, *(getattr(element, "constraints", None) or ()))
        for one in constraints:
            if isinstance(one, ast.Constraint) and one.pktable is not None:
                yield _name(one.pktable), "writes"


def _on(
    attribute: str, stops: Stops, unless: str = ""
) -> Callable[[Any], Iterator[tuple[Name, Stops]]]:
    """Reads the relation that an attribute of a statement names."""

    def read(node: Any) -> Iterator[tuple[Name, Stops]]:
        relation = getattr(node, attribute)
        if relation is not None and not (unless and getattr(node, unless)):
            yield _name(relation), stops

    return read


READERS: dict[type, Callable[[Any], Iterator[tuple[Name, Stops]]]] = {
    ast.AlterTableStmt: _altered,
    ast.RenameStmt: _on("relation", "everything"),
    ast.AlterObjectSchemaStmt: _on("relation", "everything"),
    ast.IndexStmt: _on("relation", "writes", unless="concurrent"),
    ast.CreateTrigStmt: _on("relation", "writes"),
    ast.CreatePolicyStmt: _on("table", "everything"),
    ast.AlterPolicyStmt: _on("table", "everything"),
    ast.RuleStmt: _on("relation", "everything"),
    ast.ClusterStmt: _on("relation", "everything"),
    ast.RefreshMatViewStmt: _on("relation", "everything", unless="concurrent"),
    ast.ReindexStmt: _on("relation", "writes"),
    ast.DropStmt: _dropped,
    ast.LockStmt: _locked,
    ast.CreateStmt: _made,
    ast.TruncateStmt: lambda node: ((_name(one), "everything") for one in node.relations),
}
