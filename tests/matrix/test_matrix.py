"""A server that cannot be had is said to be missing, and nothing judged is no GO."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def matrix(*words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.matrix", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_cannot_be_had_is_missing_and_asked_for_once(tmp_path: Path) -> None:
    words = ("--servers", "embedded", "--versions", "9", "--rows", "10,20")
    status, said = matrix(*words, "--build", str(tmp_path))
    assert status == 3, said
    assert said.count("missing: embedded PostgreSQL 9: error: ") == 1
    assert "none of these servers can be had here" in said


def test_rows_that_are_no_numbers_are_refused() -> None:
    assert matrix("--rows", "many")[0] == 2
