"""A session that asks for a server says which it got, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.support.plugin import PASSES, run_session, write_project

if TYPE_CHECKING:
    from harness.server import Server

USES = """
def test_a(harness_empty_database):
    pass
"""


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_fixture_brings_the_header(
    pytester: pytest.Pytester, handed_on: Server, workers: str
) -> None:
    write_project(pytester.path, a=USES)
    session = run_session(pytester, "-n", workers)
    assert session.status == 0, session.said
    assert len(session.header) == 1, session.said
    assert f"{handed_on.provider} PostgreSQL {handed_on.version}, rows 10000" in session.said


def test_an_option_brings_the_header(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, a=PASSES)
    session = run_session(pytester, "--pg-server=embedded", "--pg-rows=12")
    assert session.status == 0, session.said
    assert "embedded PostgreSQL" in session.header[0]
    assert "rows 12, seed 1" in session.header[0]
    assert "because asked for embedded" in session.said


def test_a_server_that_is_not_there_is_said(pytester: pytest.Pytester) -> None:
    write_project(pytester.path, a=USES)
    session = run_session(pytester, "--pg-server=none-such")
    assert session.status == 1
    assert "no server: unknown server 'none-such'" in session.header[0]
