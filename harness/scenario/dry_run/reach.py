"""Statements whose effect does not stay in their database: roles, settings of roles, databases.

A dry run on the server of the named database would really do them. What a function or a DO block
does inside is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pglast import ast
from pglast.enums import ObjectType

from harness.plan import Plan, Script
from harness.plan.check import tree

_TAGS: Final = (
    ast.CreateRoleStmt,
    ast.AlterRoleStmt,
    ast.AlterRoleSetStmt,
    ast.DropRoleStmt,
    ast.GrantRoleStmt,
    ast.AlterDatabaseStmt,
    ast.AlterDatabaseSetStmt,
    ast.CreateSubscriptionStmt,
    ast.AlterSubscriptionStmt,
    ast.DropSubscriptionStmt,
)
_SHARED: Final = (
    ObjectType.OBJECT_ROLE,
    ObjectType.OBJECT_DATABASE,
    ObjectType.OBJECT_TABLESPACE,
)


def beyond(plan: Plan) -> str | None:
    """File and line of the first statement that reaches beyond its database, or None."""
    return next((place for step in plan.steps for place in _of(step.forward)), None) or next(
        (place for step in plan.steps for place in _of(step.rollback)), None
    )


def _of(script: Script) -> Iterator[str]:
    for statement in script.statements if script.kind == "transaction" else ():
        if _reaches(tree(statement)):
            yield script.at(statement.line)


def _reaches(node: Any) -> bool:
    if isinstance(node, _TAGS):
        return True
    kind = getattr(node, "objtype", None)
    kind = getattr(node, "renameType", None) if kind is None else kind
    return kind is not None and kind in _SHARED and not isinstance(node, ast.GrantStmt)
