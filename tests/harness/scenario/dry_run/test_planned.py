"""An estimate that is longer than the window which people are told of is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.document.base import from_builtins
from harness.document.dry_run import DryRunDocument
from harness.scenario.dry_run.planned import hold_against, read_planned
from tests.harness.people.test_window_file import WINDOW, write
from tests.harness.support.report import dry_run
from tests.harness.support.runner import plan_of


def document(seconds: float) -> DryRunDocument:
    return from_builtins(dry_run() | {"estimate_seconds": seconds}, DryRunDocument)


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(5399.0, "pass"), (5400.0, "pass"), (5401.0, "fail")]
)
def test_a_migration_that_takes_longer_than_its_window_fails(
    tmp_path: Path, seconds: float, verdict: str
) -> None:
    write(tmp_path, WINDOW)
    found = hold_against(document(seconds), read_planned(tmp_path / "plan.toml"))
    assert found.verdict == verdict
    assert [one.id for one in found.findings] == ["dry_run.window"] * (verdict == "fail")


def test_without_a_window_or_with_a_cancelled_one_nothing_is_refused(tmp_path: Path) -> None:
    assert read_planned(tmp_path / "plan.toml") is None
    write(tmp_path, WINDOW.replace("revision = 3", "revision = 3\ncancelled = true"))
    assert read_planned(tmp_path / "plan.toml") is None


def test_validate_refuses_a_saved_estimate_that_is_longer_than_the_window(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan_of(tmp_path, ("select 1;", "select 1;"))
    write(tmp_path, WINDOW)
    (tmp_path / "dry.json").write_text(json.dumps(dry_run() | {"estimate_seconds": 7300}))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}
    words = ["validate", "--plan", "plan.toml", "--estimate", "dry.json", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=tmp_path, text=True, check=False,
        env={**clean, "HARNESS_DSN": harness_empty_database}, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    findings = {one["id"]: one["message"] for one in json.loads(done.stdout)["findings"]}
    assert findings["preflight.window"] == "the migration takes about 2.0 h, and the window 90 min"
