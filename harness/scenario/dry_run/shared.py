"""Statements that write what all databases of a server share.

The catalogs are those with `pg_class.relisshared`; a test holds the table against the server's own
list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pglast import ast
from pglast.enums import ObjectType

_ROLE, _DATABASE = ObjectType.OBJECT_ROLE, ObjectType.OBJECT_DATABASE
_SPACE, _PARAMETER = ObjectType.OBJECT_TABLESPACE, ObjectType.OBJECT_PARAMETER_ACL
_SUBSCRIPTION = ObjectType.OBJECT_SUBSCRIPTION
_ALL = (_ROLE, _DATABASE, _SPACE, _SUBSCRIPTION)

STATEMENTS: Final[dict[str, tuple[str, ...]]] = {
    "CreateRoleStmt": ("pg_authid", "pg_auth_members"),
    "AlterRoleStmt": ("pg_authid", "pg_auth_members"),
    "AlterRoleSetStmt": ("pg_db_role_setting",),
    "DropRoleStmt": ("pg_authid", "pg_auth_members"),
    "GrantRoleStmt": ("pg_auth_members",),
    "CreatedbStmt": ("pg_database",),
    "DropdbStmt": ("pg_database",),
    "AlterDatabaseStmt": ("pg_database",),
    "AlterDatabaseSetStmt": ("pg_db_role_setting",),
    "AlterDatabaseRefreshCollStmt": ("pg_database",),
    "CreateTableSpaceStmt": ("pg_tablespace",),
    "DropTableSpaceStmt": ("pg_tablespace",),
    "AlterTableSpaceOptionsStmt": ("pg_tablespace",),
    "CreateSubscriptionStmt": ("pg_subscription", "pg_replication_origin"),
    "AlterSubscriptionStmt": ("pg_subscription",),
    "DropSubscriptionStmt": ("pg_subscription", "pg_replication_origin"),
    "ReassignOwnedStmt": ("pg_shdepend", "pg_database", "pg_tablespace"),
    "DropOwnedStmt": ("pg_shdepend", "pg_database", "pg_tablespace", "pg_parameter_acl"),
    "AlterSystemStmt": (),  # postgresql.auto.conf
    "CheckPointStmt": (),  # every database's pages are written
    "LoadStmt": (),
}
"""Statement -> the shared catalogs that it writes, whatever it names."""

OBJECTS: Final[dict[tuple[str, str], dict[ObjectType, tuple[str, ...]]]] = {
    ("GrantStmt", "objtype"): {
        _DATABASE: ("pg_database",),
        _SPACE: ("pg_tablespace",),
        _PARAMETER: ("pg_parameter_acl",),
    },
    ("RenameStmt", "renameType"): {
        _ROLE: ("pg_authid",),
        _DATABASE: ("pg_database",),
        _SPACE: ("pg_tablespace",),
        _SUBSCRIPTION: ("pg_subscription",),
    },
    ("AlterOwnerStmt", "objectType"): {
        _DATABASE: ("pg_database", "pg_shdepend"),
        _SPACE: ("pg_tablespace", "pg_shdepend"),
        _SUBSCRIPTION: ("pg_subscription", "pg_shdepend"),
    },
    ("CommentStmt", "objtype"): dict.fromkeys(
        (_ROLE, _DATABASE, _SPACE, _SUBSCRIPTION), ("pg_shdescription",)
    ),
    ("SecLabelStmt", "objtype"): dict.fromkeys(
        (_ROLE, _DATABASE, _SPACE, _SUBSCRIPTION), ("pg_shseclabel",)
    ),
}
"""Statement and the field that says of what -> kind of object -> the shared catalogs written."""

CATALOGS: Final = frozenset(
    catalog
    for written in (*STATEMENTS.values(), *(c for o in OBJECTS.values() for c in o.values()))
    for catalog in written
)
"""Every shared catalog that a statement is known to write."""

_TARGETS: Final = (
    ast.AlterTableStmt,
    ast.ClusterStmt,
    ast.CopyStmt,
    ast.CreateTrigStmt,
    ast.DeleteStmt,
    ast.InsertStmt,
    ast.LockStmt,
    ast.MergeStmt,
    ast.ReindexStmt,
    ast.TruncateStmt,
    ast.UpdateStmt,
    ast.VacuumStmt,
)


def shared_of(node: Any) -> tuple[str, ...] | None:
    """The shared things that a statement writes by what it is, None when it writes none."""
    name = type(node).__name__
    if name in STATEMENTS:
        return STATEMENTS[name]
    for (statement, field), kinds in OBJECTS.items():
        if name == statement and getattr(node, field) in kinds:
            return kinds[getattr(node, field)]
    return None


def targets(node: Any) -> list[str]:
    """The names of relations that a statement writes or locks, without their schemas."""
    if not isinstance(node, _TARGETS) and not getattr(node, "lockingClause", None):
        return []
    found = [getattr(node, "relation", None), *_many(getattr(node, "relations", None))]
    found += [getattr(one, "relation", None) for one in _many(getattr(node, "rels", None))]
    if getattr(node, "lockingClause", None):
        found += _many(node.fromClause)
    return [str(one.relname) for one in found if isinstance(one, ast.RangeVar)]


def _many(value: Iterable[Any] | None) -> list[Any]:
    return list(value or ())
