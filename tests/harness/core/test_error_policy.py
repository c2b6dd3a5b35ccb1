"""Every refusal of the harness says what to do next: read from its text, no server needed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.core import errors

HOME = Path(harness.__file__).parent
REFUSALS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.HarnessError)
}
FILES = sorted(HOME.rglob("*.py"))


def refusals_without_a_hint(source: str) -> Iterator[int]:
    """The lines that make a refusal and name no next step."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) in REFUSALS and not _is_pytest_s(node):
            given = {keyword.arg for keyword in node.keywords}
            # None: **fields hands it on. Bad input is mended where it stands: its place will do.
            enough = {"hint", None} | ({"where"} if _name(node.func) == "UsageError" else set())
            if not given & enough:
                yield node.lineno


def _is_pytest_s(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "pytest"


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def test_a_refusal_without_a_next_step_is_found() -> None:
    planted = 'raise errors.Refused("no", where="here")\nraise Refused("no", hint="go")\n'
    assert list(refusals_without_a_hint(planted)) == [1]
    assert list(refusals_without_a_hint('raise UsageError("no")')) == [1]
    assert not list(refusals_without_a_hint('raise UsageError("no", where="a.sql:1")'))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOME).as_posix())
def test_every_refusal_names_the_next_step(path: Path) -> None:
    assert not list(refusals_without_a_hint(path.read_text()))
