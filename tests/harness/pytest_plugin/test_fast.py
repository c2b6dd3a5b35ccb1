"""`make test-fast` runs what needs no server, and catches a test that starts one all the same."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.harness.support.plugin import run_session, write_project

ROOT = Path(__file__).parents[3]
TESTS = """
import pytest

def test_that_needs_none():
    pass

def test_that_takes_a_database(harness_empty_database):
    raise AssertionError("not in this set")

@pytest.mark.server
def test_that_starts_its_own():
    raise AssertionError("not in this set")
"""
PLANTED = """
from harness.server import choose

def test_that_starts_one_unseen():
    server = choose("embedded")
    server.start()
    server.close()
"""


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> tuple[str, ...]:
    """What the Makefile's target sets and gives to pytest, beside this repository's hooks."""
    recipe = (ROOT / "Makefile").read_text().partition("\ntest-fast:")[2].partition("\n\n")[0]
    found = re.search(r'HARNESS_DATA=(\S+) .* -m "([^"]+)"', recipe)
    assert found, recipe
    monkeypatch.setenv("HARNESS_DATA", found[1])
    shutil.copy(ROOT / "tests" / "conftest.py", pytester.path)
    return "-m", found[2]


def test_only_what_needs_no_server_runs(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    write_project(pytester.path, a=TESTS)
    session = run_session(pytester, *options)
    assert (session.status, session.header) == (0, []), session.said
    assert "1 passed, 2 deselected" in session.said


def test_a_server_that_is_started_all_the_same_is_caught(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    write_project(pytester.path, a=PLANTED)
    session = run_session(pytester, *options)
    assert session.status == 1
    assert "1 failed" in session.said
