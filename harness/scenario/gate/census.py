"""Every test that the files of the suites define, read from their text: nothing is imported.

A witness of its own: pytest says what it collected, this says what there was to collect.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Also _test_x and no_test_x: a test that was put to sleep by its name.
SUITE_TEST = re.compile(r"test|\w*_test_")
HELPER_TEST = re.compile(r"test_")


@dataclass(frozen=True)
class Defined:
    """A test in a file: its path below the root, its name there, the line where it begins."""

    path: str
    name: str
    line: int

    @property
    def nodeid(self) -> str:
        """As pytest names it."""
        return f"{self.path}::{self.name}"


def defined(tests: Path, root: Path, without: Sequence[Path] = ()) -> list[Defined]:
    """The tests that are defined in files below `tests`, but for the files `without`."""
    found: list[Defined] = []
    for path in sorted(tests.rglob("*.py")):
        if path not in without and "__pycache__" not in path.parts:
            found += _in_file(path, path.relative_to(root).as_posix())
    return found


def _in_file(path: Path, name: str) -> Iterator[Defined]:
    try:
        tree = ast.parse(path.read_bytes(), filename=name)
    except (SyntaxError, ValueError):
        return  # pytest cannot import it either, and says so
    pattern = SUITE_TEST if path.name.startswith("test_") else HELPER_TEST
    for prefix, node in _functions(tree.body, ()):
        if pattern.match(node.name) and not _is_fixture(node):
            line = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            yield Defined(name, "::".join((*prefix, node.name)), line)


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(
    body: Iterable[ast.AST], prefix: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Function]]:
    """Functions of a module and of its classes, also below `if`, `try` and `with`."""
    for node in body:
        if isinstance(node, Function):
            yield prefix, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, (*prefix, node.name))
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _functions(ast.iter_child_nodes(node), prefix)


def _is_fixture(node: Function) -> bool:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name.endswith("fixture"):
            return True
    return False
