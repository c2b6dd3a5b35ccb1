"""The foreign tables that a statement makes, and by which other names they are reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType, ImportForeignSchemaType


@dataclass(frozen=True)
class Links:
    """Names of new foreign tables; pairs: a statement on the second may come to the first."""

    foreign: frozenset[str] = frozenset()
    ways: tuple[tuple[str, str], ...] = ()


def links_of(node: Any) -> Links:
    """What one node of a parse tree makes or joins."""
    kind = type(node)  # so that the type checker takes each part for what the parser makes of it
    if kind is ast.CreateForeignTableStmt:
        return Links(frozenset({node.base.relation.relname}), tuple(_inherits(node.base)))
    if kind is ast.ImportForeignSchemaStmt and not is_unlimited_import(node):
        return Links(frozenset(one.relname for one in node.table_list))
    return Links(ways=tuple(_ways(node)))


def is_unlimited_import(node: Any) -> bool:
    """Whether foreign tables are made whose names the statement does not say."""
    return (
        isinstance(node, ast.ImportForeignSchemaStmt)
        and node.list_type != ImportForeignSchemaType.FDW_IMPORT_SCHEMA_LIMIT_TO
    )


def _ways(node: Any) -> Iterator[tuple[str, str]]:
    kind = type(node)
    if kind is ast.CreateStmt:
        yield from _inherits(node)
    elif kind is ast.AlterTableStmt:
        yield from _joined(node.relation.relname, node.cmds)
    elif kind is ast.RenameStmt and node.relation is not None and not node.subname:
        yield node.relation.relname, node.newname
    elif kind is ast.ViewStmt:
        yield from ((name, node.view.relname) for name in _relations(node.query))
    elif kind is ast.RuleStmt:
        yield from ((name, node.relation.relname) for name in _relations(node.actions))


def _joined(table: str, commands: Any) -> Iterator[tuple[str, str]]:
    for command in commands:
        if command.subtype == AlterTableType.AT_AttachPartition:
            yield command.def_.name.relname, table
        elif command.subtype == AlterTableType.AT_AddInherit:
            yield table, command.def_.relname


def _inherits(table: Any) -> Iterator[tuple[str, str]]:
    for parent in table.inhRelations or ():
        yield table.relation.relname, parent.relname


def _relations(node: Any) -> Iterator[str]:
    """The relations that are named anywhere below a node."""
    if isinstance(node, tuple):
        for one in node:
            yield from _relations(one)
    elif isinstance(node, ast.RangeVar):
        yield str(node.relname)
    elif isinstance(node, ast.Node):
        for name in node:
            yield from _relations(getattr(node, name))
