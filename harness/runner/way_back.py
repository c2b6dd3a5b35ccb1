"""The way back of a concurrent step that a crash left between its intent and its end.

Its index may be there, half there or not there. A concurrent way back looks; one that is a
transaction has been written for the step's end, so it is looked for it here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pglast import ast
from pglast.enums import ObjectType

from harness.plan import Script, Statement, Step
from harness.plan.check import tree
from harness.runner import index
from harness.runner.index import FoundIndex, Name, Wanted, wanted
from harness.runner.ledger import Checkpoint
from harness.runner.session import RunnerSession


def script_back(session: RunnerSession, step: Step, row: Checkpoint) -> Script:
    """The step's way back, without what the half-done way there has left nothing for."""
    script = step.rollback
    if step.forward.kind != "concurrent" or script.kind != "transaction" or row.state == "done":
        return script
    want = wanted(step.forward.statements[0])
    if script.kind != "transaction" or not any(
        _names(one, want.index) for one in script.statements
    ):
        return script
    found = index.found(session.work.ask(index.look_sql(want.index)).fetchone())
    kept = tuple(one for each in script.statements for one in _needed(each, want, found))
    return replace(script, statements=kept)


def _needed(statement: Statement, want: Wanted, found: FoundIndex | None) -> tuple[Statement, ...]:
    """What a statement of the way back comes to, with the index as it was found."""
    if not _names(statement, want.index):
        return (statement,)
    if statement.tag == "DropStmt":
        return (statement,) if found is not None or not want.creates else ()
    if found is None or not found.is_index:
        return (statement,)
    if found.finished:
        return ()  # it was not dropped yet
    drop = Statement(f"DROP INDEX {want.index.sql}", statement.line, "DropStmt")
    return (drop, statement)


def _names(statement: Statement, name: Name) -> bool:
    """Whether a statement makes or drops this index, and nothing else."""
    if statement.tag not in ("DropStmt", "IndexStmt"):
        return False
    node: Any = tree(statement)
    if isinstance(node, ast.IndexStmt):
        table: Any = node.relation
        schema = table.schemaname
        return schema in (None, name.schema) and node.idxname == name.name
    if node.removeType != ObjectType.OBJECT_INDEX or len(node.objects) != 1:
        return False
    *schemas, last = (part.sval for part in node.objects[0])
    return last == name.name and schemas in ([], [name.schema])
