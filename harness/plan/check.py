"""The rules of a script by its kind: what would break a promise of the runner is refused here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pglast import ast, parse_sql
from pglast.enums import DropBehavior, ObjectType, ReindexObjectType, VariableSetKind

from harness.core.errors import UsageError
from harness.plan.isolation import READ_ONLY, mode_reason, opens_with
from harness.plan.model import Script, Statement
from harness.plan.ranges import bounded_tree, column, range_reason, relation

OUTSIDE = "a transaction script runs inside one transaction"
NEVER = {
    "TransactionStmt": "the runner begins and commits; a script must not",
    "VacuumStmt": f"VACUUM cannot run here: {OUTSIDE}",
    "CreatedbStmt": f"CREATE DATABASE cannot run here: {OUTSIDE}",
    "DropdbStmt": f"DROP DATABASE cannot run here: {OUTSIDE}",
    "CreateTableSpaceStmt": f"CREATE TABLESPACE cannot run here: {OUTSIDE}",
    "DropTableSpaceStmt": f"DROP TABLESPACE cannot run here: {OUTSIDE}",
    "AlterSystemStmt": f"ALTER SYSTEM cannot run here: {OUTSIDE}",
    "DiscardStmt": "DISCARD would take the session's settings away",
    "CopyStmt": "COPY needs a client that sends or takes the rows",
    "PrepareStmt": "prepared statements outlive the step",
    "ListenStmt": "LISTEN outlives the step",
}


def check(script: Script) -> None:
    """Refuse a script that breaks a rule of its kind: UsageError with file, line and reason."""
    if script.nothing is not None:
        if script.statements:
            raise UsageError(
                "a script that says nothing: must hold no statement",
                where=script.at(script.statements[0].line),
            )
        return
    if not script.statements and script.irreversible is not None and script.kind == "transaction":
        return
    if not script.statements:
        raise UsageError(
            "holds no statement", where=script.at(1), hint="say why with a header nothing: …"
        )
    _by_kind(script)(script)


def _by_kind(script: Script) -> Callable[[Script], None]:
    return {"transaction": _transaction, "batch": _batch, "concurrent": _concurrent}[script.kind]


def tree(statement: Statement, batch: bool = False) -> Any:
    """The parse tree of one statement."""
    return bounded_tree(statement) if batch else parse_sql(statement.text)[0].stmt


def _transaction(script: Script) -> None:
    for header in ("table", "key", "batch"):
        if getattr(script, header) is not None:
            raise UsageError(
                f"header {header!r} belongs to a batch script",
                where=script.at(1),
                hint="say kind: batch",
            )
    head, _ = opens_with(script)
    for number, statement in enumerate(script.statements):
        node = tree(statement)
        reason = NEVER.get(statement.tag) if not _is_analyze(node) else None
        if isinstance(node, ast.CopyStmt) and node.filename:
            reason = "COPY of a file or a program of the server: a crash takes back nothing of it"
        reason = reason or mode_reason(node, first=number < len(head)) or _session_wide(node)
        reason = reason or _outside(node) or _concurrently(node)
        if reason:
            raise UsageError(reason, where=script.at(statement.line))
    for name, value in script.settings:
        if name.lower() == "transaction_read_only" and value.lower() not in ("off", "false"):
            raise UsageError(READ_ONLY, where=script.at(1))


def _outside(node: Any) -> str | None:
    """Statements that Postgres refuses within a transaction in some of their forms only."""
    if isinstance(node, ast.ClusterStmt) and node.relation is None:
        return f"CLUSTER of every table cannot run here: {OUTSIDE}; name one table"
    if isinstance(node, ast.AlterDatabaseStmt) and any(
        option.defname == "tablespace" for option in node.options or ()
    ):
        return f"ALTER DATABASE … SET TABLESPACE cannot run here: {OUTSIDE}"
    if isinstance(node, ast.CreateSubscriptionStmt) and not node.options:
        return f"CREATE SUBSCRIPTION that makes its slot cannot run here: {OUTSIDE}"
    return None


def _is_analyze(node: Any) -> bool:
    return isinstance(node, ast.VacuumStmt) and not node.is_vacuumcmd


def _session_wide(node: Any) -> str | None:
    if not isinstance(node, ast.VariableSetStmt) or node.is_local:
        return None
    if node.kind == VariableSetKind.VAR_RESET_ALL:
        return "RESET ALL would take the settings away that every script can rely on"
    if node.kind in (VariableSetKind.VAR_SET_MULTI, VariableSetKind.VAR_RESET):
        return None  # the session ends with the script
    return "a SET without LOCAL would outlive the step; use SET LOCAL or a header set: name=value"


def _concurrently(node: Any) -> str | None:
    said = f"CONCURRENTLY cannot run here: {OUTSIDE}; make it a step of kind concurrent"
    if isinstance(node, ast.IndexStmt | ast.DropStmt) and node.concurrent:
        return said
    if isinstance(node, ast.ReindexStmt):
        wide = node.kind in (
            ReindexObjectType.REINDEX_OBJECT_SCHEMA,
            ReindexObjectType.REINDEX_OBJECT_SYSTEM,
            ReindexObjectType.REINDEX_OBJECT_DATABASE,
        )
        if wide or any(option.defname == "concurrently" for option in node.params or ()):
            return said
    if isinstance(node, ast.AlterTableStmt) and any(
        getattr(command.def_, "concurrent", False) for command in node.cmds or ()
    ):
        return said
    return None


def _batch(script: Script) -> None:
    for header in ("table", "key"):
        if not getattr(script, header):
            raise UsageError(f"a batch script needs a header {header!r}", where=script.at(1))
    relation(script)
    column(script)
    for statement in script.statements:
        reason = range_reason(script, statement)
        if reason:
            raise UsageError(reason[0], where=script.at(statement.line), hint=reason[1])


def _concurrent(script: Script) -> None:
    if len(script.statements) != 1:
        raise UsageError(
            f"a concurrent script holds exactly one statement, not {len(script.statements)}",
            where=script.at(script.statements[1].line),
            hint="what fails midway must be one thing; make a step of each",
        )
    statement = script.statements[0]
    node = tree(statement)
    if isinstance(node, ast.IndexStmt) and node.concurrent:
        reason = _create_reason(node)
    elif (
        isinstance(node, ast.DropStmt)
        and node.concurrent
        and node.removeType == ObjectType.OBJECT_INDEX
    ):
        reason = _drop_reason(node)
    else:
        reason = (
            "a concurrent script is CREATE INDEX CONCURRENTLY or DROP INDEX CONCURRENTLY:"
            " what a crash leaves of another statement could not be told"
        )
    if reason:
        raise UsageError(reason, where=script.at(statement.line))


def _create_reason(node: Any) -> str | None:
    if node.if_not_exists:
        return "IF NOT EXISTS takes an invalid index for a finished one; the runner looks itself"
    if not node.idxname:
        return "the index has no name, so that it could not be found again after a crash"
    if not node.relation.schemaname:
        return "the table is not schema-qualified"
    return None


def _drop_reason(node: Any) -> str | None:
    if node.missing_ok:
        return "IF EXISTS is not needed: the runner looks whether the index is there"
    if len(node.objects) != 1:
        return "a concurrent script drops exactly one index"
    if len(node.objects[0]) != 2:
        return "the index is not schema-qualified"
    if node.behavior == DropBehavior.DROP_CASCADE:
        return "DROP INDEX CONCURRENTLY knows no CASCADE"
    return None


def altered(script: Script) -> set[str]:
    """The qualified tables that the script alters, and so must be owned by the runner's role."""
    found = set()
    for statement in script.statements:
        if statement.tag in ("AlterTableStmt", "RenameStmt", "IndexStmt", "CreatePolicyStmt"):
            node = tree(statement)
            target = getattr(node, "relation", None) or getattr(node, "table", None)
            if target is not None and target.schemaname:
                found.add(f"{target.schemaname}.{target.relname}")
    return found
