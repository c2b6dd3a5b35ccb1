"""A small checkout to run the gate on, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.scenario.gate import PLANTED, claimed_suites
from tests.harness.support.report import documents
from tests.harness.support.runner import SmallPlan

SUITES = tuple(name for name in claimed_suites() if name not in PLANTED)
ROOT = Path(__file__).parents[3]
CRM = 'object = "fixtures.subject:crm"'
HALF_WRITTEN = shutil.ignore_patterns("*.pyc.*")
"""Bytecode is copied, it need not be made again; what another process is writing is not."""
PASSES = "def test_a():\n    assert True\n"
LEAVES = """
import json
from pathlib import Path

from harness.report import evidence

def test_evidence_is_left():
    for name, document in json.loads(Path(__file__).with_name("left.json").read_text()).items():
        evidence.keep(name, document)
"""
COMMAND = (sys.executable, "-m", "harness", "gate", "--server", "embedded", "--workers", "1")


def make_project(root: Path, *, small: bool = True) -> Path:
    """A checkout whose release suites are one passing test each, of a small plan or of the CRM's.

    To read the CRM's plan and to import its row makers is most of what a gate of this kind costs.
    """
    settings = (ROOT / "pyproject.toml").read_text()
    if small:
        SmallPlan(root / "sql")
        assert CRM in settings
        settings = settings.replace(CRM, "")
    else:
        for name in ("sql", "fixtures"):
            shutil.copytree(ROOT / name, root / name, ignore=HALF_WRITTEN)
    (root / "pyproject.toml").write_text(settings)
    for suite in SUITES:
        plant(root, f"test_{suite}.py", PASSES)
    plant(root, "test_verify.py", LEAVES)
    leave(root)
    return root


def plant(project: Path, name: str, text: str) -> None:
    """Write a file among the release suites."""
    path = project / "tests" / "migration" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def leave(project: Path, **changed: dict[str, Any] | None) -> None:
    """The suites leave good evidence but for what is changed; None is left out."""
    left = {name: told for name, told in (documents() | changed).items() if told is not None}
    plant(project, "left.json", json.dumps(left))


def gate(project: Path, *arguments: str, **environment: str) -> tuple[int, dict[str, Any], str]:
    """Run it: status, verdict document, what was said besides."""
    done = subprocess.run(
        [*COMMAND, "--json", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | environment,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def words(document: dict[str, Any]) -> dict[str, str]:
    """The verdict of each suite."""
    return {suite["name"]: suite["verdict"] for suite in document["suites"]}


def found(document: dict[str, Any]) -> dict[str, str]:
    """Where each finding is, and what it says."""
    return {finding["where"]: finding["message"] for finding in document["findings"]}
