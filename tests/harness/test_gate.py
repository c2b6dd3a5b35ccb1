"""The gate, run as a user runs it, on planted suites: it says GO only where it should."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PASSES = "def test_a():\n    assert True\n"
SUITES = ("forward", "rollback", "resume", "crash", "compatibility")


@pytest.fixture
def project(tmp_path):
    """A checkout whose release suites are one passing test each."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    suites = tmp_path / "tests" / "migration"
    suites.mkdir(parents=True)
    for suite in SUITES:
        (suites / f"test_{suite}.py").write_text(PASSES)
    return tmp_path


def gate(project: Path, *arguments: str) -> tuple[int, dict, str]:
    command = [sys.executable, "-m", "harness", "gate", "--json", "--server", "embedded"]
    done = subprocess.run(
        [*command, "--workers", "1", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_suites_that_pass_are_go_and_the_file_says_what_was_judged(project):
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (0, "GO")
    assert [suite["name"] for suite in document["suites"]] == list(SUITES)
    assert document == json.loads((project / "build" / "verdict.json").read_text())
    assert document["plan"]["hash"]
    assert (project / "build" / "junit.xml").exists()


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        ("def test_a():\n    assert 1 == 2\n", "fail"),
        ("import pytest\n\n@pytest.mark.skip\ndef test_a():\n    pass\n", "unknown"),
        ("import nothing_of_that_name\n", "unknown"),
        ("", "unknown"),
        ("import os\n\ndef test_a():\n    os._exit(0)\n", "fail"),
    ],
    ids=["failing", "skipped", "not importable", "empty", "dying"],
)
def test_a_planted_suite_is_no_go(project, planted, word):
    (project / "tests" / "migration" / "test_resume.py").write_text(planted)
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert {suite["name"]: suite["verdict"] for suite in document["suites"]}["resume"] == word


def test_a_failure_is_a_finding_with_its_evidence(project):
    (project / "tests" / "migration" / "test_forward.py").write_text(
        "def test_rows():\n    assert 1 == 2, 'one row lost'\n"
    )
    _, document, _ = gate(project)
    (finding,) = document["findings"]
    assert finding["id"] == "forward.test_rows"
    assert "one row lost" in finding["message"]
    assert "assert 1 == 2" in finding["evidence"]


def test_an_old_go_does_not_outlive_a_broken_plan_or_run(project):
    gate(project)
    (project / "tests" / "migration" / "test_forward.py").write_text("def test_a(:\n")
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")


def test_an_unreadable_plan_is_a_usage_error_in_one_sentence(project):
    (project / "sql" / "plan.toml").write_text("format = \n")
    status, document, stderr = gate(project)
    assert (status, document["exit_status"]) == (2, 2)
    assert "plan.toml" in stderr
    assert "Traceback" not in stderr
