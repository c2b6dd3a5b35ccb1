"""A session that uses no fixture and no option of ours is left as it would be without us."""

from __future__ import annotations

import pytest

from tests.harness.support.plugin import PASSES, Session, run_session, write_project

THEIRS = """
import pytest

@pytest.fixture
def plan():
    return "theirs"

@pytest.mark.postgres
def test_a(plan):
    assert plan == "theirs"
"""
DEFECTS = {
    "chooses a server": """
def pytest_configure(config):
    from harness.server import choose
    choose("embedded")
""",
    "makes the directory": """
def pytest_configure(config):
    from harness.pytest_plugin.shared import shared_directory
    shared_directory(config)
""",
    "says a line": """
def pytest_report_header(config):
    return ["migration-harness: none"]
""",
    "starts a program": """
def pytest_configure(config):
    import subprocess
    subprocess.run(["true"])
""",
}


def marks(session: Session) -> list[str]:
    """Whatever shows that the plugin was there."""
    return session.header + session.seen


@pytest.mark.parametrize("workers", ["0", "1"])
def test_nothing_is_said_made_or_looked_for(pytester: pytest.Pytester, workers: str) -> None:
    project = write_project(pytester.path, "markers = postgres: theirs", a=THEIRS)
    # xdist starts its workers as programs
    xdist = run_session(pytester, "-n", workers, "-p", "no:harness.pytest_plugin").seen
    session = run_session(pytester, "-n", workers, project=project)
    assert session.status == 0, session.said
    assert [mark for mark in marks(session) if mark not in xdist] == []


def test_a_variable_alone_says_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_SERVER", "embedded")
    monkeypatch.setenv("HARNESS_ROWS", "many")
    write_project(pytester.path, a=PASSES)
    session = run_session(pytester)
    assert (session.status, marks(session)) == (0, [])


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_plugin_without_manners_is_seen(pytester: pytest.Pytester, defect: str) -> None:
    write_project(pytester.path, a=PASSES)
    (pytester.path / "defect.py").write_text(DEFECTS[defect])
    session = run_session(pytester, "-p", "defect")
    assert session.status == 0, session.said
    assert marks(session) != []
