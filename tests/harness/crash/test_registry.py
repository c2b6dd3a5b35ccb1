"""A domain that another package registers is explored like ours; one that cannot be is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.support.runner import SmallPlan

CODE = """
from harness.crash.model import START, CoverageRow, Domain, Point, Task

POINT = Point("noon", "forward", START, "twelve", "bell")

def tasks(setup):
    return [Task("noon", (POINT,))]

def run(setup, task):
    return [CoverageRow(POINT, fired=True, verdict="pass", state="as it was")]

DOMAIN = Domain("noon", ("bell",), tasks, run)
TWICE = Domain("wire", ("bell",), tasks, run)
OTHER = "no domain"
"""


def crash_with(directory: Path, target: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`harness crash` in an environment where a package registers a domain."""
    (directory / "planted_noon.py").write_text(CODE)
    metadata = directory / "planted_noon-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: planted-noon\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[harness.crash_domains]\nnoon = planted_noon:{target}\n"
    )
    plan = SmallPlan(directory / "plan").load().path
    command = [sys.executable, "-m", "harness", "crash", "--plan", str(plan), "--rows", "0"]
    return subprocess.run(
        [*command, "--build", str(directory / "build"), "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(directory)},
    )


def test_a_registered_domain_is_explored(tmp_path: Path) -> None:
    done = crash_with(tmp_path, "DOMAIN", "--domain", "noon", "--direction", "forward")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["verdict"], document["points"], document["fired"]) == ("pass", 1, 1)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("OTHER", "does not name a Domain"),
        ("TWICE", "there is a domain 'wire' already"),
        ("ABSENT", "cannot be loaded"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_a_usage_error(
    tmp_path: Path, target: str, said: str
) -> None:
    done = crash_with(tmp_path, target)
    assert done.returncode == 2
    assert said in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr
