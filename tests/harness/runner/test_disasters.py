"""The server itself goes: killed under the runner, or its disk full. Nothing is lost or guessed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from fixtures.seed import load
from harness import runner
from harness.core.poll import wait_until
from harness.database import admin, fingerprint
from harness.server import choose
from tests.harness.support.server import require

ROOT = Path(__file__).parents[3]
ROWS = 500


@pytest.fixture
def hasty(tmp_path) -> Path:
    """The plan with a runner that gives a lost server up after two seconds."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    toml = tmp_path / "sql" / "plan.toml"
    toml.write_text(toml.read_text().replace("[runner]\n", '[runner]\nreconnect = "2s"\n'))
    return toml


def start(command: str, dsn: str, plan: Path = ROOT / "sql" / "plan.toml") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", command, "--json", "--dsn", dsn, "--plan", str(plan)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, dict, str]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    return process.returncode, json.loads(out), err


def prepared(server, plan, name: str) -> str:
    admin.create(server.dsn(), name)
    dsn = server.dsn(name)
    runner.baseline(dsn, plan)
    load(dsn, rows=ROWS, seed=1, profile="real")
    return dsn


@pytest.fixture
def durable() -> Iterator:
    """A server of this test's own, which keeps what it acknowledged when it is killed."""
    server = choose("embedded", profile="durable")
    server.start()
    yield server
    server.close()


def waits_for_a_lock(dsn: str) -> bool:
    query = "select 1 from pg_locks where not granted and locktype = 'relation'"
    with psycopg.connect(dsn, autocommit=True) as watcher:
        found = watcher.execute(query).fetchone()
    return found is not None


@pytest.mark.parametrize("command", ["migrate", "rollback"])
def test_a_server_killed_under_the_runner_costs_nothing(durable, harness_plan, hasty, command):
    golden, victim = (prepared(durable, harness_plan, name) for name in ("golden", "victim"))
    runner.migrate(golden, harness_plan)
    if command == "rollback":
        runner.migrate(victim, harness_plan)
        runner.rollback(golden, harness_plan)
    table = "deals" if command == "migrate" else "opportunities"
    with closing(psycopg.connect(victim)) as blocker:
        blocker.execute(f"lock table public.{table} in access share mode")  # pins the swap
        process = start(command, victim, hasty)
        wait_until(lambda: waits_for_a_lock(victim), 60, "the runner to wait at the swap")
        durable.kill()
    status, _, err = finished(process)
    assert status == 5, err
    durable.restart()
    durable.wait_ready()
    status, document, err = finished(start(command, victim))
    assert status == 0, err
    assert document["resumed"] is True
    assert document["steps_skipped"]
    assert not fingerprint.compare(fingerprint.take(golden), fingerprint.take(victim))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A directory on a disk of its own, small enough to fill.

    Not below pytest's own: every pytest of this user shuts that to the server's account again.
    """
    disk = Path(tempfile.mkdtemp(prefix="disk-", dir="/var/tmp"))
    options = ["-t", "tmpfs", "-o", "size=256m,mode=0711", "tmpfs", str(disk)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        disk.rmdir()
        require("mount", "a small disk needs the right to mount a tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
    disk.rmdir()


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(small_disk, harness_plan, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(small_disk))
    server = choose("embedded", profile="durable")
    server.start()
    try:
        golden, victim = (prepared(server, harness_plan, name) for name in ("golden", "victim"))
        runner.migrate(golden, harness_plan)
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute("checkpoint")
        ballast = small_disk / "ballast"
        fill(ballast)
        status, document, err = finished(start("migrate", victim))
        assert status in (1, 3, 5), err
        assert "error" in document
        ballast.unlink()
        server.restart()  # a full disk may have taken the server with it
        server.wait_ready()
        status, document, err = finished(start("migrate", victim))
        assert (status, document["state"]) == (0, "migrated"), err
        assert not fingerprint.compare(fingerprint.take(golden), fingerprint.take(victim))
    finally:
        server.close()


def fill(ballast: Path) -> None:
    """Write until the disk is full."""
    with ballast.open("wb", buffering=0) as out:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    out.write(b"\0" * size)
            except OSError:
                continue
