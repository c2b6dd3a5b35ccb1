"""A project of somebody else's, run by a pytest of its own, and what that one did besides."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

SPY = '''
"""Writes down what the processes of a session do that an unrelated project does not ask for."""
import os, sys

LOG = os.environ["SPY_LOG"]
SEEN = ("subprocess.Popen", "socket.connect", "os.mkdir", "tempfile.mkdtemp")

def hook(event, arguments):
    told = repr(arguments)
    if event in SEEN and ("mkdir" not in event or "harness" in told):
        with open(LOG, "a") as log:
            log.write(f"{event} {told}\\n")

sys.addaudithook(hook)

def pytest_sessionfinish():
    loaded = sorted(name for name in sys.modules if name.startswith("harness.server"))
    if loaded:
        with open(LOG, "a") as log:
            log.write(f"loaded {loaded}\\n")
'''
WITHOUT = (
    *("-p", "no:cacheprovider", "-p", "no:benchmark"),  # the latter asks git, hg and file
    *("-p", "no:hypothesispytest", "-p", "no:faker"),  # others' plugins: seconds to import
)
PASSES = "def test_a():\n    pass\n"


@dataclass(frozen=True)
class Session:
    """How a session of pytest ended: its status, what it printed, what the spy wrote down."""

    status: int
    said: str
    seen: list[str]

    @property
    def header(self) -> list[str]:
        """The lines of ours."""
        return [line for line in self.said.splitlines() if line.startswith("migration-harness")]


def run_session(
    pytester: pytest.Pytester, *options: str | Path, project: Path | None = None
) -> Session:
    """Run pytest in a process, in `project` or in the directory of the test."""
    log = pytester.path / "spy.log"
    log.write_text("")
    (pytester.path / "spy.py").write_text(SPY)
    os.environ["SPY_LOG"] = str(log)  # the test's own: pytester's monkeypatch puts it back
    os.environ["PYTHONPATH"] = str(pytester.path)
    if project is not None:
        os.chdir(project)
    ended = pytester.runpytest_subprocess("-p", "spy", *WITHOUT, *options)
    return Session(
        int(ended.ret), "\n".join([*ended.outlines, *ended.errlines]), log.read_text().splitlines()
    )


def write_project(directory: Path, ini: str = "", **tests: str) -> Path:
    """A directory with a pytest.ini and test files: test_NAME.py for each name."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    for name, text in tests.items():
        (directory / f"test_{name}.py").write_text(text)
    return directory
