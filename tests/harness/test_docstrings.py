"""Whatever is public says what it is; in crash/ a function that raises says what it raises."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness

HOME = Path(harness.__file__).parent
FILES = sorted(path for path in HOME.rglob("*.py") if path.read_text("utf-8").strip())
Documented = ast.FunctionDef | ast.ClassDef


def public(tree: ast.Module) -> Iterator[Documented]:
    """The public classes and functions of a module; a suite's tests are claims by their names."""
    for node in tree.body:
        if isinstance(node, Documented) and not node.name.startswith(("_", "test_")):
            yield node
            if isinstance(node, ast.ClassDef):
                inner = (one for one in node.body if isinstance(one, Documented))
                yield from (one for one in inner if not one.name.startswith("_"))


def silent(source: str) -> list[str]:
    """What says nothing of itself."""
    tree = ast.parse(source)
    nodes = [("the module", tree), *((node.name, node) for node in public(tree))]
    return [name for name, node in nodes if not ast.get_docstring(node)]


def unsaid(source: str) -> list[str]:
    """Errors that public functions raise by themselves, and that they do not name."""
    found = []
    for function in public(ast.parse(source)):
        text = ast.get_docstring(function) or ""
        for node in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = ast.unparse(node.exc.func).rpartition(".")[2]
                if name[0].isupper() and name not in text:
                    found.append(f"{function.name}: {name}")
    return found


@pytest.mark.parametrize("room", sorted({path.relative_to(HOME).parts[0] for path in FILES}))
def test_whatever_is_public_says_what_it_is(room: str) -> None:
    files = [path for path in FILES if path.relative_to(HOME).parts[0] == room]
    mute = {path.name: names for path in files if (names := silent(path.read_text("utf-8")))}
    assert mute == {}


def test_what_a_function_of_crash_raises_stands_in_its_docstring() -> None:
    files = (HOME / "crash").rglob("*.py")
    kept = {path.name: names for path in files if (names := unsaid(path.read_text("utf-8")))}
    assert kept == {}


def test_a_planted_silence_is_found() -> None:
    planted = 'def strike():\n    """Strike."""\n    raise PinMissed("gone")\n\ndef mute(): ...\n'
    assert silent(planted) == ["the module", "mute"]
    assert unsaid(planted) == ["strike: PinMissed"]
