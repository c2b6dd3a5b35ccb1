"""`harness bench compare` of two saved files: exit status, one document, both reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import cli
from harness.core.errors import UsageError
from harness.scenario.bench.compare import saved_runs
from tests.harness.scenario.bench.test_saved import measured


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    for arm, run in saved_runs(*measured()).items():
        (tmp_path / f"{arm}.json").write_text(json.dumps(run))
    return tmp_path


def compare(root: Path, *arguments: str) -> Result:
    given = ["bench", "compare", *arguments, "--rows", "10", "--seed", "1"]
    return CliRunner().invoke(cli, [*given, "--build", str(root / "build")])


def test_a_confirmed_slowdown_is_status_one_and_one_document(saved: Path) -> None:
    page, text = saved / "new" / "page.html", saved / "new" / "text.md"
    done = compare(
        saved, str(saved / "base.json"), str(saved / "head.json"), "--json",
        "--html", str(page), "--markdown", str(text),
    )  # fmt: skip
    document = json.loads(done.stdout)
    said = {one["name"]: one["verdict"] for one in document["benchmarks"]}
    assert (done.exit_code, document["verdict"], said["slow"]) == (1, "fail", "slower")
    assert json.loads((saved / "build" / "comparison.json").read_text()) == document
    assert "slower, confirmed" in page.read_text()
    assert "slower, confirmed" in text.read_text()


def test_what_cannot_tell_is_status_zero_and_unknown(saved: Path) -> None:
    for arm in ("base", "head"):
        path = saved / f"{arm}.json"
        run = json.loads(path.read_text())
        path.write_text(json.dumps(run | {"benchmarks": run["benchmarks"][2:]}))
    done = compare(saved, str(saved / "base.json"), str(saved / "head.json"), "--json")
    assert (done.exit_code, json.loads(done.stdout)["verdict"]) == (0, "unknown")


@pytest.mark.parametrize(
    ("sides", "reason"),
    [
        (("base.json", "gone.json"), "cannot be read"),
        (("base.json", "HEAD"), "a ref and a saved file are not compared"),
        (("HEAD", "HEAD", "--only", "nobody"), "no benchmark 'nobody'"),
        (("base.json", "head.json", "--only", "slow"), "--only is for two refs"),
        (("HEAD", "HEAD", "--server", "existing"), "servers are made anew"),
    ],
)
def test_what_cannot_be_compared_is_a_usage_error(
    saved: Path, sides: tuple[str, ...], reason: str
) -> None:
    named = [str(saved / one) if one.endswith(".json") else one for one in sides]
    done = compare(saved, *named)
    assert isinstance(done.exception, UsageError)
    assert reason in str(done.exception)
