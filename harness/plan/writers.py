"""Which step of a plan writes a column: for a finding about a value, the file to look into."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pglast.parser import ParseError
from pglast.visitors import Visitor

from harness.plan.check import tree
from harness.plan.model import Plan, Script

NAME = re.compile(r'"([^"]{4,})"|\b([a-z]\w*_\w+)\b')  # in quotes, or with an underscore


@dataclass(frozen=True)
class StepWrite:
    """A step that writes a column, and the file and line where the statement begins."""

    relation: str
    column: str
    step: str
    file: str
    line: int
    batch: bool

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


class Writers:
    """The columns that a plan's forward steps set in rows that are there, or insert."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def _writes(self) -> list[StepWrite]:
        return [write for step in self._plan.steps for write in _of(step.id, step.forward)]

    @cached_property
    def _earlier(self) -> dict[str, str]:
        """The name that a column had before a step gave it this one."""
        found: dict[str, str] = {}
        for step in self._plan.steps:
            for statement in step.forward.statements:
                if statement.tag == "RenameStmt":
                    node = tree(statement)
                    if node.subname and node.subname != node.newname:
                        found[node.newname] = node.subname
        return found

    def of(self, relation: str, column: str) -> StepWrite | None:
        """The write of this column, a backfill's first; a relation may have had another name.

        Without a column, what writes the relation's rows.
        """
        name, column = relation.split(".")[-1].strip('"'), column.strip('"')
        if not column:
            rows = [write for write in self._writes if write.relation == name]
            return min(rows, key=lambda write: not write.batch, default=None)
        found = [write for write in self._writes if write.column == column]
        found = [write for write in found if write.relation == name] or found
        if not found and column in self._earlier:
            earlier = self._earlier[column]
            found = [write for write in self._writes if write.column == earlier]
        return min(found, key=lambda write: not write.batch, default=None)

    def named(self, text: str, back: bool) -> StepWrite | None:
        """The only step that speaks of an object named in a text; None when several do, or none.

        With `back` its way back is given.
        """
        names = {name for found in NAME.findall(text) if (name := max(found, key=len))}
        for name in sorted(names, key=len, reverse=True):
            word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
            steps = [
                step for step in self._plan.steps if _line_of(word, step.forward, step.rollback)
            ]
            if len(steps) == 1:
                scripts = (steps[0].rollback, steps[0].forward)
                script = scripts[0] if back else scripts[1]
                line = _line_of(word, script) or 1
                return StepWrite("", name, steps[0].id, script.name, line, script.kind == "batch")
        return None


def _line_of(word: re.Pattern[str], *scripts: Script) -> int | None:
    """The line of the first statement that holds the word."""
    lines = (one.line for script in scripts for one in script.statements if word.search(one.text))
    return next(lines, None)


def _of(step: str, script: Script) -> Iterator[StepWrite]:
    batch = script.kind == "batch"
    for statement in script.statements:
        try:
            found = _Assignments()
            found(tree(statement, batch))
        except ParseError:
            continue  # a statement that only its placeholders make whole
        for relation, column in found.written:
            yield StepWrite(relation, column, step, script.name, statement.line, batch)


class _Assignments(Visitor):
    """Collects (relation, column) of UPDATE and INSERT, those inside of WITH too."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[str, str]] = []

    def visit_UpdateStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - pglast's name
        self._add(node.relation, node.targetList)

    def visit_InsertStmt(self, _ancestors: Any, node: Any) -> None:  # noqa: N802 - likewise
        self._add(node.relation, node.cols)

    def _add(self, relation: Any, targets: Any) -> None:
        for target in targets or ():
            if target.name:
                self.written.append((relation.relname, target.name))
