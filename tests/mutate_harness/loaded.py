"""Modules of the tree that are imported before the forks, and which of them a change reaches."""

from __future__ import annotations

import ast
import contextlib
import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_TREE: Final = ("harness", "tests", "fixtures")


def import_tree(place: Path) -> dict[str, set[str]]:
    """Import the harness and what its tests share; returns who imports each module."""
    files = [
        *(place / "harness").rglob("*.py"),
        *(place / "fixtures").rglob("*.py"),
        *(place / "tests").rglob("conftest.py"),
        *(place / "tests").glob("*/support/*.py"),
    ]
    for file in files:
        if file.name != "__main__.py":
            with contextlib.suppress(Exception):  # what cannot be imported alone is left to a run
                importlib.import_module(module_name(file.relative_to(place).as_posix()))
    importers: dict[str, set[str]] = defaultdict(set)
    for name in _ours():
        origin = getattr(sys.modules[name], "__file__", None)
        for imported in _imports(name, Path(origin)) if origin else ():
            importers[imported].add(name)
    return importers


def module_name(path: str) -> str:
    """The module's name of a file of the tree."""
    parts = path.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unload(path: str, importers: dict[str, set[str]]) -> None:
    """Forget the module of a file that was changed, and whatever imports it, near or far."""
    left, reached = [module_name(path)], set[str]()
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += importers.get(name, ())
    for name in reached:
        sys.modules.pop(name, None)
        package, _, attribute = name.rpartition(".")
        if package in sys.modules:  # `from package import module` would find it there
            vars(sys.modules[package]).pop(attribute, None)


def _ours() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in _TREE]


def _imports(name: str, file: Path) -> Iterator[str]:
    """The modules that a module imports, anywhere in it; its package is imported with it."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    yield name.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else ()), *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
