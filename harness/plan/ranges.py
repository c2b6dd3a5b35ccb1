"""The table, the key and the statements of a batch script: what can be said without a database."""

from __future__ import annotations

from typing import Any

from pglast import ast, parse_sql
from pglast.enums import CmdType, OnConflictAction
from pglast.parser import ParseError
from pglast.visitors import Visitor

from harness.core.errors import UsageError
from harness.plan.bounds import bound_reason
from harness.plan.model import Script, Statement

DATA = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "SelectStmt")
OPAQUE = ("DoStmt", "CallStmt", "CreateExtensionStmt", "ExecuteStmt")
MORE = ("sortClause", "limitCount", "limitOffset", "lockingClause", "withClause", "larg")
BOUNDS = {1: "%(after)s", 2: "%(upto)s"}


def relation(script: Script) -> tuple[str, str]:
    """Schema and name of the table of a batch script."""
    node = _table(script.table or "")
    if node is None:
        raise UsageError(
            f"table is a schema and a name such as shop.orders, not {script.table!r}",
            where=script.at(1),
        )
    return node.schemaname, node.relname


def _table(text: str) -> Any:
    """The parse tree of a qualified name that stands for itself, or None."""
    try:
        (raw,) = parse_sql(f"TABLE {text}")
    except (ParseError, ValueError):
        return None
    select: Any = raw.stmt
    if any(getattr(select, part, None) for part in MORE) or len(select.fromClause or ()) != 1:
        return None
    node = select.fromClause[0]
    named = isinstance(node, ast.RangeVar) and node.schemaname and not node.catalogname
    return node if named and node.inh and node.alias is None else None


def column(script: Script) -> str:
    """The name of the key column of a batch script."""
    try:
        (raw,) = parse_sql(f"SELECT {script.key}")
        select: Any = raw.stmt
        (target,) = select.targetList
        (name,) = target.val.fields
        if target.name is None and select.fromClause is None:
            return str(name.sval)
    except (ParseError, ValueError, AttributeError, TypeError):
        pass
    raise UsageError(
        f"key is one column, not {script.key!r}",
        where=script.at(1),
        hint="a name that is a reserved word, or has capitals, is quoted",
    )


def bounded_tree(statement: Statement) -> Any:
    """The parse tree of a batch statement, its bounds being parameters 1 and 2."""
    text = statement.text
    for number, name in BOUNDS.items():
        text = text.replace(name, f"${number}")
    return parse_sql(text.replace("%%", "% "))[0].stmt


class _Params(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[int] = set()

    def visit_ParamRef(self, _: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        """Keep which bounds there are."""
        self.numbers.add(node.number)


def range_reason(script: Script, statement: Statement) -> tuple[str, str] | None:
    """Why a statement cannot be run by ranges, and what to do; None when it can."""
    if statement.tag not in DATA:
        return "a batch script changes rows and nothing else", "make it a step of its own"
    node = bounded_tree(statement)
    params = _Params()
    params(node)
    for number, name in BOUNDS.items():
        if number not in params.numbers:
            hint = "every statement of a batch is bounded by key > after and key <= upto"
            return f"the statement does not use {name}", hint
    if reason := bound_reason(node):
        return reason
    if column(script) in _columns(node, relation(script)):
        hint = "a row would move into another range; change keys in a transaction step"
        return f"the statement changes the key {column(script)!r} by which it is cut", hint
    if _adds_rows(node, relation(script)):
        hint = "new rows may lie behind the range, and the step may never end; insert elsewhere"
        return "the statement adds rows to the table by whose key it is cut", hint
    return None


def changes_columns(script: Script) -> set[str]:
    """The columns of its own table that a batch script assigns to."""
    table = relation(script)
    return set().union(*(_columns(bounded_tree(one), table) for one in script.statements))


def _columns(node: Any, table: tuple[str, str]) -> set[str]:
    """The columns of the table that a statement, or one within it, assigns to."""
    found: set[str] = set()
    for inner in _changing(node):
        if not _is(inner.relation, table):
            continue
        if isinstance(inner, ast.UpdateStmt):
            found |= _targets(inner.targetList)
        elif isinstance(inner, ast.MergeStmt):
            for clause in inner.mergeWhenClauses or ():
                if clause.commandType == CmdType.CMD_UPDATE:
                    found |= _targets(clause.targetList)
        elif isinstance(inner, ast.InsertStmt) and inner.onConflictClause is not None:
            found |= _targets(inner.onConflictClause.targetList)
    return found


def _targets(targets: Any) -> set[str]:
    return {target.name for target in targets or ()}


def _adds_rows(node: Any, table: tuple[str, str]) -> bool:
    for inner in _changing(node):
        if not _is(inner.relation, table):
            continue
        if isinstance(inner, ast.InsertStmt):
            clause = inner.onConflictClause
            if clause is None or clause.action == OnConflictAction.ONCONFLICT_NONE:
                return True
        if isinstance(inner, ast.MergeStmt) and any(
            clause.commandType == CmdType.CMD_INSERT for clause in inner.mergeWhenClauses or ()
        ):
            return True
    return False


def _changing(node: Any) -> list[Any]:
    """The statement and those in its WITH, as far as they change rows."""
    clause = getattr(node, "withClause", None)
    inner = [one.ctequery for one in clause.ctes] if clause is not None else []
    kinds = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
    return [one for one in (node, *inner) if isinstance(one, kinds)]


def _is(node: Any, table: tuple[str, str]) -> bool:
    return (node.schemaname, node.relname) == table


def may_change(script: Script, _schema: str, name: str) -> bool:
    """Whether a script may make, alter or drop a table, as far as its text tells."""
    for statement in script.statements:
        text = statement.text.lower()
        if statement.tag in OPAQUE or (statement.tag == "SelectStmt" and "(" in text):
            return True
        if statement.tag not in DATA and name.lower() in text:
            return True
    return False
