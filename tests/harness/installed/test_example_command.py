"""examples/command, struck by an installed wheel: one revision cannot resume, the other can."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.database import dump, fingerprint
from harness.server import Server
from tests.harness.support.commands import make_command_project
from tests.harness.support.installed import ROOT, Installed
from tests.harness.support.people import stand_in

QUICK = ("--rows", "20", "--domain", "wire", "--direction", "forward", "--workers", "2")
TOOLS = Path(sys.executable).parent  # where alembic is


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example, outside of the checkout."""
    left_out = shutil.ignore_patterns("__pycache__", "build")
    return shutil.copytree(ROOT / "examples" / "command", tmp_path / "shop", ignore=left_out)


def crash(installed: Installed, example: Path, *options: str) -> tuple[int, dict[str, Any]]:
    done = installed.harness("crash", *QUICK, *options, "--json", cwd=example, tools=TOOLS)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_concurrent_revision_cannot_resume(installed: Installed, example: Path) -> None:
    status, found = crash(installed, example, "--fault", "sigkill", "--points", "4")
    assert (status, found["verdict"]) == (1, "fail")
    statement = "CREATE INDEX CONCURRENTLY purchase_customer ON shop.purchase (customer_id)"
    said = f'{statement}: relation "purchase_customer" already exists (42P07)'
    assert all(said in failure["reason"] for failure in found["failures"])
    passed = {row["step"] for row in found["rows"] if row["verdict"] == "pass"}
    assert "commit-1" in passed  # that of the transactional revision


def test_transactional_revision_passes_alone(installed: Installed, example: Path) -> None:
    command = ("--up", "alembic upgrade 0001", "--baseline", "baseline.sql")
    status, found = crash(installed, example, *command, "--points", "4")
    assert (status, found["verdict"], found["fired"]) == (0, "pass", 4), found["failures"]


def test_settings_that_ignore_our_database_are_refused(installed: Installed, example: Path) -> None:
    settings = example / "migrations" / "env.py"
    ours = 'os.environ["DATABASE_URL"]'
    assert ours in settings.read_text()
    live = '"postgresql://postgres@127.0.0.1:5432/live"'
    settings.write_text(settings.read_text().replace(ours, live))
    done = installed.harness("crash", *QUICK, cwd=example, tools=TOOLS)
    assert done.returncode == 1
    assert "alembic current: it connects elsewhere" in done.stderr


def test_dry_run_of_the_example_passes_and_touches_nothing(
    installed: Installed, example: Path, harness_empty_database: str
) -> None:
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute((example / "baseline.sql").read_bytes())
    before = fingerprint.take(harness_empty_database)
    told = ("--clone", "template", "--json")
    done = installed.harness("dry-run", *told, cwd=example, dsn=harness_empty_database, tools=TOOLS)
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"]) == (0, "pass"), (found, done.stderr)
    assert found["way_back"]["equal"] is True
    texts = [one["text"] for step in found["steps"] for one in step["statements"]]
    assert any("CREATE INDEX CONCURRENTLY purchase_customer" in text for text in texts)
    assert not fingerprint.compare(before, fingerprint.take(harness_empty_database))


def test_gate_of_a_command_is_go_from_a_wheel(
    installed: Installed, tmp_path: Path, harness_server: Server
) -> None:
    psql = dump.program("psql", harness_server.version, harness_server.dsn()).path
    root = make_command_project(tmp_path, str(psql))
    done = installed.harness("init", cwd=root)
    assert done.returncode == 0, done.stderr
    stand_in(root, "crash")  # that one is struck above
    options = ("--server", "embedded", "--rows", "50", "--json")
    done = installed.harness("gate", *options, cwd=root)
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"]) == (0, "GO"), found["findings"]
    assert {suite["name"] for suite in found["suites"]} >= {"claims", "dry_run", "rollback"}
