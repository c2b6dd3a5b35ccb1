"""The gate, the whole command, says NO-GO to a plan with a known gap in it and names the gap.

The suites that a test names are the real ones. In place of the others something passes, so that
these cannot be what says no. That the real ones pass without a gap, and that the gate then says
GO, is what `make test-migration` shows.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.plan import load
from tests.harness.support.gate import HALF_WRITTEN
from tests.harness.support.report import documents
from tests.harness.support.thorough import EXHAUSTIVE
from tests.migration import sabotage

ROOT = Path(__file__).parents[4]
PATCHES = {patch.name: patch for patch in sabotage.every()}
COPIED = ("sql", "fixtures", "harness", "tests/migration")
PATIENT = {
    "estimate_percent = 50": "estimate_percent = 1000",
    'max_lock = "2s"': 'max_lock = "1min"',
}
"""In plan.toml: that this machine is busy is no reason to say no here."""
PASSES = """
import json
from pathlib import Path

from harness.report import evidence


def test_a():
    for name, document in json.loads(Path(__file__).with_suffix(".json").read_text()).items():
        evidence.keep(name, document)
"""

GAPS: list[tuple[dict[str, set[str]], set[str]]] = [
    ({"policies_lost": {"forward", "security"}}, {"validation"}),
]
"""Gaps put back together, each with the suites that say no to it, and those that see none."""
if EXHAUSTIVE:  # the longest suites; tests/migration/test_sabotage.py puts these gaps back too
    GAPS.append(
        (
            {"rollback_forgets_one_policy": {"rollback"}, "lost_update": {"meanwhile"}},
            {"security", "forward", "validation"},
        )
    )
LEFT = {"validation": ("validate",), "crash": ("crash.forward", "crash.rollback")}
"""The evidence of a suite, where it is not one document of the suite's name."""

Gate = Callable[..., dict[str, Any]]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Return a function: gate(suites, *gaps) -> the verdict on a copy of the plan, patched."""

    def judged(suites: set[str], *gaps: str) -> dict[str, Any]:
        copy(tmp_path, suites)
        plan = load(ROOT / "sql" / "plan.toml")
        for gap in gaps:
            plan = sabotage.applied(plan, PATCHES[gap], tmp_path / gap)
        if gaps:
            shutil.rmtree(tmp_path / "sql")
            plan.path.parent.rename(tmp_path / "sql")
        be_patient(tmp_path / "sql" / "plan.toml")
        command = (sys.executable, "-m", "harness", "gate", "--json", "--server", "embedded")
        done = subprocess.run(
            [*command, "--rows", "300", "--workers", "1"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        document: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if document["verdict"] == "GO" else 1), done.stderr
        return document

    return judged


def copy(project: Path, real: set[str]) -> None:
    """Copy what a gate needs; every suite but the real ones is one test that passes."""
    for name in COPIED:
        shutil.copytree(ROOT / name, project / name, ignore=HALF_WRITTEN)
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, project)
    suites = {
        path.stem.removeprefix("test_"): path
        for path in (project / "tests" / "migration").glob("test_*.py")
    }
    for suite in suites.keys() - real:
        left = LEFT.get(suite, (suite,))
        told = {name: text for name, text in documents().items() if name in left}
        suites[suite].write_text(PASSES)
        suites[suite].with_suffix(".json").write_text(json.dumps(told))


def be_patient(path: Path) -> None:
    text = path.read_text()
    for old, new in PATIENT.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def against(document: dict[str, Any]) -> list[str]:
    """Every finding that speaks against the plan, in its own words."""
    found = [one for one in document["findings"] if one["severity"] != "info"]
    return [f"{one['message']} {one['evidence']}" for one in found]


def test_the_plan_without_a_defect_is_go(gate: Gate) -> None:
    document = gate({"validation"})
    assert against(document) == []
    assert (document["verdict"], document["reasons"]) == ("GO", [])


@pytest.mark.parametrize(("gaps", "passed"), GAPS, ids=lambda value: "-".join(sorted(value)))
def test_a_gap_put_back_is_no_go_and_named(
    gate: Gate, gaps: dict[str, set[str]], passed: set[str]
) -> None:
    failed = {suite for suites in gaps.values() for suite in suites}
    document = gate(failed | passed, *gaps)
    assert document["verdict"] == "NO-GO"
    words = {suite["name"]: suite["verdict"] for suite in document["suites"]}
    said = dict.fromkeys(failed, "fail") | dict.fromkeys(passed, "pass")
    assert {suite: words[suite] for suite in said} == said
    found = against(document)
    for gap in gaps:
        assert [text for text in found if all(word in text for word in PATCHES[gap].says)], found
