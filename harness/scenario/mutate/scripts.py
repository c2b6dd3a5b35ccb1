"""Defects of a whole script: its kind, its header, and a statement that has no business in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pglast import ast
from pglast.stream import maybe_double_quote_name

from harness.plan import Script, Statement
from harness.plan.check import tree
from harness.scenario.mutate.edits import places, written

PATIENCE = "1h"
ALONE = "session_replication_role"
BATCH: dict[str, Any] = {"kind": "transaction", "table": None, "key": None, "batch": None}
RESET = """do $$
declare
    held regclass;
begin
    for held in
        select s.seqrelid from pg_catalog.pg_sequence s
        join pg_catalog.pg_depend d on d.objid = s.seqrelid
            and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype in ('a', 'i')
        where d.refobjid = '{table}'::regclass and d.refobjsubid > 0
    loop
        execute pg_catalog.format('alter sequence %s cache 1', held);
    end loop;
end
$$"""
LEFT = "alter table {table} set (autovacuum_enabled = off)"


@dataclass(frozen=True)
class Changed:
    """An operator, the script it makes, and what changes, as lines before and after."""

    operator: str
    script: Script
    line: int
    before: str
    after: str


def of(script: Script) -> Iterator[Changed]:
    """Every defect of a script as a whole."""
    if not script.statements:
        return
    yield from _kinds(script)
    yield from _headers(script)
    if script.kind == "transaction":
        yield from _additions(script)


def _kinds(script: Script) -> Iterator[Changed]:
    """All rows in one transaction; an index built while writers wait."""
    if script.kind == "batch":
        whole = [_of_all_rows(statement) for statement in script.statements]
        if None in whole:
            return
    elif script.kind == "concurrent":
        whole = [_at_once(statement) for statement in script.statements]
        if not any(statement.tag == "IndexStmt" for statement in script.statements):
            return
    else:
        return
    statements = tuple(one for one in whole if one is not None)
    made = replace(script, statements=statements, **BATCH)
    yield Changed("step-kind", made, 1, f"-- kind: {script.kind}", "-- kind: transaction")


def _of_all_rows(statement: Statement) -> Statement | None:
    """The statement of a batch without its bounds; None where they stand in no comparison."""
    root = tree(statement, batch=True)
    for place in tuple(places(root)):
        node = place.node
        if isinstance(node, ast.A_Expr) and isinstance(node.rexpr, ast.ParamRef):
            true = ast.A_Const(isnull=False, val=ast.Boolean(boolval=True))
            edit = place.replaced("step-kind", true)
            setattr(edit.node, edit.attribute, edit.value)
    if any(isinstance(place.node, ast.ParamRef) for place in places(root)):
        return None
    return replace(statement, text=written(root))


def _at_once(statement: Statement) -> Statement:
    root: Any = tree(statement)
    if isinstance(root, (ast.IndexStmt, ast.DropStmt)):
        root.concurrent = False
    return replace(statement, text=written(root))


def _headers(script: Script) -> Iterator[Changed]:
    """A lock that is waited for without measure; triggers that do not fire."""
    if script.kind == "concurrent":
        return  # it waits for transactions and stops nobody meanwhile
    patient = replace(script, lock_timeout=PATIENCE)
    before = f"-- lock_timeout: {script.lock_timeout}" if script.lock_timeout else ""
    yield Changed("header", patient, 1, before, f"-- lock_timeout: {PATIENCE}")
    alone = replace(script, settings=(*script.settings, (ALONE, "replica")))
    yield Changed("header", alone, 1, "", f"-- set: {ALONE}=replica")


def _additions(script: Script) -> Iterator[Changed]:
    """Autovacuum left off on a table, and its sequences reset, where it is named first."""
    for number, table in _tables(script.statements):
        statement = script.statements[number]
        for operator, text in (("leave-setting", LEFT), ("reset-sequence", RESET)):
            said = text.format(table=table)
            if text is RESET and statement.tag == "CreateStmt":
                continue  # a new sequence has nothing that could be reset
            tag = "DoStmt" if text is RESET else "AlterTableStmt"
            added = Statement(said, statement.line, tag)
            rest = script.statements
            statements = (*rest[: number + 1], added, *rest[number + 1 :])
            yield Changed(
                operator, replace(script, statements=statements), statement.line, "", said
            )


def _tables(statements: Sequence[Statement]) -> Iterator[tuple[int, str]]:
    """The first statement that alters or locks each table which the script does not drop."""
    trees = [tree(statement) for statement in statements]
    seen = {name for root in trees for name in _dropped(root)}
    for number, root in enumerate(trees):
        for relation in _altered(root):
            name = _name(relation.schemaname, relation.relname)
            if name not in seen:
                seen.add(name)
                yield number, name


def _altered(root: Any) -> tuple[Any, ...]:
    if isinstance(root, ast.LockStmt):
        return root.relations or ()
    if isinstance(root, ast.AlterTableStmt | ast.CreateStmt):
        return (root.relation,)
    return ()


def _dropped(root: Any) -> Iterator[str]:
    if isinstance(root, ast.DropStmt):
        for names in root.objects or ():
            if isinstance(names, tuple):
                yield _name(*(part.sval for part in names[-2:]))


def _name(*parts: str | None) -> str:
    return ".".join(maybe_double_quote_name(part) for part in parts if part)
