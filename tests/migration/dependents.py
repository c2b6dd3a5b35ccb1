"""What others made of a relation that the way back drops: it is refused, not taken along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from pglast import ast
from pglast.enums import ObjectType
from psycopg import sql

from harness.core.errors import Refused, StepFailed
from harness.plan import Script
from harness.plan.check import tree
from harness.runner import rollback

from .scene import Remark, Scene, heard
from .support import connected, scalar

RELATIONS = (ObjectType.OBJECT_TABLE, ObjectType.OBJECT_VIEW)
Name = tuple[str, str]


def dependents(scene: Scene) -> Iterator[Remark]:
    """The stage of the judge: a report on what the statement in question drops is still there."""
    for name in _dropped(scene):
        yield heard(f"report on {'.'.join(name)}", lambda name=name: _kept(scene, name))


def _kept(scene: Scene, name: Name) -> list[str]:
    dsn = scene.after()
    view = sql.SQL("create view reporting.of_others as select 1 from {}")
    with connected(dsn) as conn:
        conn.execute("create schema reporting")
        try:
            conn.execute(view.format(sql.Identifier(*name)))
        except psycopg.errors.UndefinedTable:
            return []  # it is made on the way back itself, or gone since
    try:
        rollback(dsn, scene.case.plan)
    except (Refused, StepFailed):
        return []
    with connected(dsn) as conn:
        if scalar(conn, "select to_regclass('reporting.of_others')") is None:
            return [f"the way back takes a report of others on {'.'.join(name)} along"]
    return []


def _dropped(scene: Scene) -> list[Name]:
    """Schema and name of every relation that a statement with the defect drops."""
    case = scene.case
    if case.step is None or case.direction != "rollback":
        return []
    plain, changed = (plan.step(case.step).rollback for plan in (case.original, case.plan))
    return [name for root in _new(plain, changed) for name in _names(root)]


def _new(plain: Script, changed: Script) -> list[Any]:
    known = {statement.text for statement in plain.statements}
    if changed.kind != "transaction":
        return []
    return [tree(one) for one in changed.statements if one.text not in known]


def _names(root: Any) -> list[Name]:
    if not isinstance(root, ast.DropStmt) or root.removeType not in RELATIONS:
        return []
    return [(names[-2].sval, names[-1].sval) for names in root.objects if len(names) > 1]
