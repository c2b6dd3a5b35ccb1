"""Whether the ranges of a batch script may be done side by side, as far as its text tells."""

from __future__ import annotations

from typing import Any, Final

from pglast.visitors import Visitor

from harness.plan.model import RunnerSettings, Script
from harness.plan.ranges import bounded_tree, relation

OWN: Final = ("UpdateStmt", "DeleteStmt")
DRAWING: Final = frozenset({"nextval", "setval", "currval", "lastval"})
"""What they give depends on who came first."""


def workers_of(settings: RunnerSettings, script: Script) -> int:
    """How many may share the script: of its header and of [runner], the fewer.

    Without a header one does it alone, unless each statement changes rows of its own range only,
    and reads no others.
    """
    if settings.batch_workers < 2:
        return 1
    if script.batch_workers is not None:
        return min(script.batch_workers, settings.batch_workers)
    return settings.batch_workers if is_apart(script) else 1


def is_apart(script: Script) -> bool:
    """Whether every statement is seen to touch rows of its own range and nothing else."""
    return all(one.tag in OWN and _is_apart(script, bounded_tree(one)) for one in script.statements)


def _is_apart(script: Script, node: Any) -> bool:
    table = node.relation
    others = [getattr(node, part, None) for part in ("fromClause", "usingClause", "withClause")]
    if (table.schemaname, table.relname) != relation(script) or any(others):
        return False
    found = _Reach(named_here=not _has_path(script))
    found(node)
    return found.inside


def _has_path(script: Script) -> bool:
    """Whether names without a schema may be others' than the server's own."""
    return any(name.lower() == "search_path" and value for name, value in script.settings)


class _Reach(Visitor):
    """Looks for what may read or write beyond the row: other queries, functions of the plan's."""

    def __init__(self, *, named_here: bool) -> None:
        super().__init__()
        self.inside = True
        self._named_here = named_here

    def visit_SubLink(self, _: Any, _node: Any) -> None:  # noqa: N802 - pglast's name
        """Another query."""
        self.inside = False

    def visit_FuncCall(self, _: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        """A function: the server's own see their arguments, but for those that draw numbers."""
        *schema, name = (part.sval for part in node.funcname)
        known = schema == ["pg_catalog"] or (not schema and self._named_here)
        self.inside &= known and name not in DRAWING

    def visit_A_Expr(self, _: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        """An operator of the plan's own calls a function of the plan's own."""
        schema = [part.sval for part in node.name or ()][:-1]
        self.inside &= schema in ([], ["pg_catalog"])
