"""One mutant of the harness: a stable name, where it is, and how to make it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from .operators import operators

ROOT: Final = Path(__file__).resolve().parents[2]
_SILENT: Final = ("__main__.py", "py.typed")


@dataclass(frozen=True)
class Mutant:
    """`mark` is of the lines' text; `occurrence` counts the operator's places in the file."""

    path: str
    function: str
    operator: str
    mark: str
    occurrence: int
    line: int

    @property
    def id(self) -> str:
        """A name that holds until the mutant's own lines are edited."""
        return f"{self.path}::{self.function}::{self.operator}::{self.mark}"

    def code(self, root: Path = ROOT) -> str:
        """The whole file with this one change.

        Raises LookupError when the file has no such place any more.
        """
        source = (root / self.path).read_text()
        made = mutate_code(source, operators()[self.operator], self.occurrence)
        if made is None:
            raise LookupError(f"{self.id} is not there any more")
        return str(made)

    def change(self, root: Path = ROOT) -> str:
        """What the change comes to: the lines before and after, without their indent."""
        old, new = (root / self.path).read_text().splitlines(), self.code(root).splitlines()
        head = next(
            (at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]),
            min(len(old), len(new)) - 1,
        )
        tail = 0
        while tail < min(len(old), len(new)) - head - 1 and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        before, after = (
            " ".join(line.strip() for line in lines[head : len(lines) - tail])
            for lines in (old, new)
        )
        return f"{before} -> {after}"


@cache
def mutants_of(path: str, root: Path = ROOT) -> tuple[Mutant, ...]:
    """Every mutant of one file, in the order of its lines."""
    text = (root / path).read_text()
    tree, lines = get_ast(text), [line.strip() for line in text.splitlines()]
    found: list[Mutant] = []
    for name, operator in operators().items():
        found += _placed(path, name, operator, tree, lines)
    return tuple(sorted(found, key=lambda mutant: (mutant.line, mutant.id)))


def _placed(
    path: str, name: str, operator: Any, tree: Any, lines: Sequence[str]
) -> Iterator[Mutant]:
    occurrence, alike = 0, Counter[tuple[str, str]]()
    for node in ast_nodes(tree):
        for (line, _), (last, _) in operator.mutation_positions(node):
            where = _function(node)
            if where is not None:
                mark = _mark(lines[line - 1 : last])
                alike[where, mark] += 1
                number = alike[where, mark]  # the same text twice in one function
                yield Mutant(
                    path, where, name, mark + f".{number}" * (number > 1), occurrence, line
                )
            occurrence += 1


def _mark(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def _function(node: Any) -> str | None:
    """The qualified name of what holds the node; None where a change means nothing."""
    names: list[str] = []
    child, parent = node, node.parent
    if node.type == "operator" and node.value in ("*", "/") and parent.type != "term":
        return None  # of a signature or a call, not of a product
    while parent is not None:
        if _is_annotation(child, parent) or _is_of_types(child, parent):
            return None
        if parent.type in ("funcdef", "classdef"):
            names.append(parent.name.value)
        child, parent = parent, parent.parent
    return ".".join(reversed(names)) or "(module)"


def _is_annotation(child: Any, parent: Any) -> bool:
    at = parent.children.index(child)
    return (
        (parent.type == "tfpdef" and at > 0)
        or (parent.type == "annassign" and at == 1)
        or (parent.type == "funcdef" and at > 0 and parent.children[at - 1] == "->")
    )


def _is_of_types(child: Any, parent: Any) -> bool:
    """Whether it is for type checkers, or only says that a class is frozen or takes keywords."""
    if parent.type == "if_stmt":
        return str(parent.children[1].get_code()).strip() == "TYPE_CHECKING"
    if parent.type == "classdef":
        return child is not parent.children[-1]
    return child.type == "decorator" and "dataclass" in child.get_code()


def files(root: Path = ROOT) -> list[str]:
    """Every Python file of the harness."""
    return sorted(
        path.relative_to(root).as_posix()
        for path in (root / "harness").rglob("*.py")
        if path.name not in _SILENT
    )
