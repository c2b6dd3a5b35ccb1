"""The plugin is loaded once, however many ask for it; its fixtures and markers are its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin import markers, server_fixtures, subject_fixtures
from harness.suite import fixtures
from tests.harness.support.plugin import PASSES, run_session, write_project

if TYPE_CHECKING:
    from harness.server import Server

CONFTEST = 'pytest_plugins = ["harness.pytest_plugin"]\n'
MARKED = """
import pytest

@pytest.mark.postgres(since=99)
def test_of_a_server_to_come(harness_server):
    raise AssertionError

@pytest.mark.postgres(since=13, until=98)
def test_of_the_server_at_hand():
    pass

@pytest.mark.postgres
def test_that_means_something_else():
    pass

@pytest.mark.postgres(flavour="vanilla")
def test_that_means_something_else_again():
    pass
"""


@pytest.mark.parametrize("options", [(), ("-p", "harness.pytest_plugin")], ids=["once", "twice"])
def test_installed_and_listed_in_a_conftest(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    write_project(pytester.path, a=PASSES)
    pytester.makeconftest(CONFTEST)
    session = run_session(pytester, *options)
    assert session.status == 0, session.said


def test_every_fixture_has_the_prefix(pytester: pytest.Pytester) -> None:
    said = run_session(pytester, "--fixtures", "-q").said
    ours = [
        line.split()[0]
        for line in said.splitlines()
        if re.match(r"\S.* -- .*(pytest_plugin/|suite/fixtures)", line)
    ]
    made = {
        name
        for module in (server_fixtures, subject_fixtures, fixtures)
        for name in vars(module)
        if name.startswith("harness_")
    }
    assert set(ours) == made
    assert len(made) > 9


def test_every_marker_is_registered(pytester: pytest.Pytester) -> None:
    said = run_session(pytester, "--markers").said
    for marker in markers.MARKERS:
        assert f"@pytest.mark.{marker}" in said


def test_a_test_that_needs_another_server_is_left_out(
    pytester: pytest.Pytester, handed_on: Server
) -> None:
    write_project(pytester.path, a=MARKED)
    session = run_session(pytester, "--strict-markers")
    assert session.status == 0, session.said
    assert "3 passed, 1 deselected" in session.said
