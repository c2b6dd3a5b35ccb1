"""`harness live`: one document, a stable exit status, and bad input in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.support.runner import SmallPlan


def live(*arguments: str, plan: Path, cwd: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "harness", "live", "--plan", str(plan), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, cwd=cwd
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SmallPlan(tmp_path_factory.mktemp("plan")).load().path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dsn", "postgresql://u:secret@h/d"], "an existing server is not put under traffic"),
        (["--writes", "nan"], "nan is not a number"),
        (["--shard", "3/2"], "--shard takes I/N"),
        (["--shard", "0/2"], "out of range"),
    ],
)
def test_bad_arguments_are_refused_at_once(
    small: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    status, out, err = live(*arguments, plan=small, cwd=tmp_path)
    assert (status, out) == (2, "")
    assert said in err
    assert "secret" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_answer_is_one_document(small: Path, tmp_path: Path) -> None:
    options = ("--writes", "60", "--reads", "12", "--rows", "50", "--seconds", "1", "--json")
    status, out, _ = live(*options, plan=small, cwd=tmp_path)
    document = json.loads(out)
    assert {"verdict", "history", "victims", "latency", "findings"} <= document.keys()
    assert status == (0 if document["verdict"] == "pass" else 1)
    assert json.loads((tmp_path / "build" / "live.json").read_text()) == document
