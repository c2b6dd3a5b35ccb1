"""SQLSTATEs and exit statuses are spelled in one module each; elsewhere they go by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import errors

import harness

HOME = Path(harness.__file__).parent
FILES = sorted(HOME.rglob("*.py"))
STATE = re.compile(r"(?=.*\d)[0-9A-Z]{5}")
OURS = ("runner/", "crash/domain/contended", "crash/domain/environment", "crash/domain/tampered")
"""Where the exit statuses that are compared are those of our own command line."""


def literal_states(source: str) -> Iterator[int]:
    """The lines that spell an SQLSTATE."""
    for node in ast.walk(ast.parse(source)):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and STATE.fullmatch(text) and _is_known(text):
            yield node.lineno


def literal_statuses(source: str) -> Iterator[int]:
    """The lines that compare an exit status with a number."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare):
            continue
        name = getattr(node.left, "attr", getattr(node.left, "id", ""))
        numbers = [
            part
            for one in node.comparators
            for part in ast.walk(one)
            if isinstance(part, ast.Constant) and type(part.value) is int
        ]
        if name in ("status", "exit_status") and numbers:
            yield node.lineno


def _is_known(code: str) -> bool:
    try:
        errors.lookup(code)
    except KeyError:
        return False
    return True


def _name(path: Path) -> str:
    return str(path.relative_to(HOME))


def test_states_are_spelled_in_the_table_only() -> None:
    found = {_name(path): [*literal_states(path.read_text("utf-8"))] for path in FILES}
    assert [name for name, lines in found.items() if lines] == ["core/sqlstate.py"]


def test_exit_statuses_of_ours_go_by_name() -> None:
    ours = [path for path in FILES if _name(path).startswith(OURS)]
    found = {_name(path): [*literal_statuses(path.read_text("utf-8"))] for path in ours}
    assert len(ours) > 40
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("planted", ['LOCKED = "55P03"', 'x in ("42P01", "42703")'])
def test_a_planted_state_is_found(planted: str) -> None:
    assert list(literal_states(planted))


@pytest.mark.parametrize("planted", ["ending.status != 0", "done.exit_status in (1, 5)"])
def test_a_planted_status_is_found(planted: str) -> None:
    assert list(literal_statuses(planted))
