"""The inputs of cases, put into databases as a person would: with psql."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from harness.cli import cli
from harness.server import find_client

CASES = Path(__file__).parents[1] / "cases"
MANIFEST = 'format = 1\nname = "own"\nversion = "1"\n[[phase]]\nid = "1"\nname = "one"\n'


def psql(dsn: str, path: Path, **environment: str) -> None:
    """Run a script of a case."""
    done = subprocess.run(
        [str(find_client("psql")), "-q", "-v", "ON_ERROR_STOP=1", "-f", str(path), dsn],
        capture_output=True, text=True, env=os.environ | environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def plan_of(directory: Path, forward: str, rollback: str = "-- nothing: it stays\n") -> Path:
    """A plan of one step; its plan.toml."""
    phase = directory / "phases/1_one"
    phase.mkdir(parents=True, exist_ok=True)
    (directory / "baseline").mkdir(exist_ok=True)
    (directory / "plan.toml").write_text(MANIFEST)
    (phase / "010_step.forward.sql").write_text(f"{forward}\n")
    (phase / "010_step.rollback.sql").write_text(f"{rollback}\n")
    return directory / "plan.toml"


def told(*arguments: str | Path) -> tuple[int, Any]:
    """Run a command with --json: its exit status and its document."""
    import json

    done = CliRunner().invoke(cli, [*map(str, arguments), "--json"], catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout)
