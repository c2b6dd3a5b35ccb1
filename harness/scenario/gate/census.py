"""Every test that the files of the suites define, read from their text: nothing is imported.

A witness of its own: pytest says what it collected, this says what there was to collect.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.scenario.gate.shipped import HOME, home, portable_path

# Also _test_x and no_test_x: a test that was put to sleep by its name.
SUITE_TEST = re.compile(r"test|\w*_test_")
HELPER_TEST = re.compile(r"test_")


@dataclass(frozen=True)
class Defined:
    """A test of a file: its path below the root, its name there, the line where it begins.

    `place` is the file that defines it, where the test is inherited from a shipped suite.
    """

    path: str
    name: str
    line: int
    place: str = ""

    @property
    def nodeid(self) -> str:
        """As pytest names it."""
        return f"{self.path}::{self.name}"

    @property
    def defined_in(self) -> str:
        """The file that holds its code."""
        return self.place or self.path


def defined(tests: Path, root: Path, without: Sequence[Path] = ()) -> list[Defined]:
    """The tests that are defined in files below `tests`, but for the files `without`."""
    found: list[Defined] = []
    for path in sorted(tests.rglob("*.py")):
        if path not in without and "__pycache__" not in path.parts:
            found += of_file(path, root)
    return found


def of_file(path: Path, root: Path) -> list[Defined]:
    """The tests of a file: its own, and those of the shipped suites that it takes whole."""
    name = portable_path(path, root)
    found = list(_own(path, name))
    return found + [
        replace(test, path=name, place=test.path)
        for module in _inherited(path)
        for test in _own(home() / module, f"{HOME}/{module}", SUITE_TEST)
    ]


def own_tests(path: Path) -> list[Defined]:
    """The tests that a file defines by itself."""
    return list(_own(path, path.name))


def _inherited(path: Path) -> Iterator[str]:
    """The files of the suites of which a test file imports everything."""
    if not path.name.startswith("test_") and not path.stem.endswith("_test"):
        return
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and not node.level:
            file = f"{(node.module or '').replace('.', '/')}.py"
            inner = file.removeprefix(f"{HOME}/")
            if inner != file and (home() / inner).is_file():
                yield inner


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=path.name)
    except (SyntaxError, ValueError):
        return ast.Module([], [])  # pytest cannot import it either, and says so


def _own(path: Path, name: str, pattern: re.Pattern[str] | None = None) -> Iterator[Defined]:
    pattern = pattern or (SUITE_TEST if path.name.startswith("test_") else HELPER_TEST)
    for prefix, node in _functions(_tree(path).body, ()):
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
