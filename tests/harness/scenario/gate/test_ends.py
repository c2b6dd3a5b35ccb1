"""A gate that ends early leaves nothing: no process, server, directory or half of a verdict."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from harness.core import lifetime
from harness.core.errors import InfrastructureError, UsageError
from harness.core.poll import wait_until
from harness.scenario.gate import build, workspace
from harness.server import registry
from tests.harness.support.gate import COMMAND, gate, make_project, plant
from tests.harness.support.pace import control

POINTS = int(os.environ.get("HARNESS_POINTS", "3"))
WAITS = """
import time
from pathlib import Path

def test_a():
    Path("reached").touch()
    time.sleep(120)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    return make_project(tmp_path)


@contextmanager
def started(project: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A gate at work, with temporary files of its own."""
    child = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(project / "tmp")},
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def at_work(project: Path) -> None:
    wait_until((project / "reached").exists, 120, "the suites to be at work")


def working(project: Path) -> list[int]:
    """Processes of gates of this project."""
    found = []
    for process in psutil.process_iter():
        try:
            around = process.environ() if process.status() != psutil.STATUS_ZOMBIE else {}
        except psutil.Error:
            continue
        if lifetime.GATE in around and str(project) in around.get("TMPDIR", ""):
            found.append(process.pid)
    return found


def left(project: Path, pids: list[int]) -> list[object]:
    """What gates of these processes left: servers, processes, directories."""
    servers = [one["id"] for one in registry.records() if int(one["owner"][0]) in pids]
    return [*servers, *working(project), *(project / "tmp").iterdir()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_seconds_and_leaves_nothing(
    project: Path, number: signal.Signals
) -> None:
    plant(project, "test_resume.py", WAITS)
    with started(project, "--json") as child:
        at_work(project)
        with control() as machine:
            began = time.monotonic()
            child.send_signal(number)
            said, told = child.communicate(timeout=60)
            took = time.monotonic() - began
    assert child.returncode == 5
    assert json.loads(said)["exit_status"] == 5
    (line,) = [line for line in told.splitlines() if line.startswith("error")]
    assert f"stopped by {number.name} and gives no verdict" in line
    assert left(project, [child.pid]) == []
    assert took < 3 * machine.slowdown


def test_a_build_directory_has_one_gate_at_a_time(project: Path) -> None:
    plant(project, "test_resume.py", WAITS)
    (project / "build").mkdir()
    (project / "build" / "verdict.json").write_text("{}")
    with started(project) as child:
        at_work(project)
        assert not (project / "build" / "verdict.json").exists()  # a new one is begun
        status, document, told = gate(project)
        assert (status, document["exit_status"]) == (4, 4)
        assert f"another gate works in this build directory, pid {child.pid}" in told


def test_a_gate_killed_anywhere_leaves_nothing_after_the_next(project: Path) -> None:
    plant(project, "test_resume.py", "import time\n\ndef test_a():\n    time.sleep(1)\n")
    pids = []
    sample = random.Random(POINTS)  # noqa: S311 - a sample that is the same each time
    for share in sample.sample(range(100), POINTS):
        with started(project) as child:
            time.sleep(0.3 + 5 * share / 100)
            child.kill()
            pids.append(child.pid)
    with started(project, "--json") as child:
        said, told = child.communicate(timeout=120)
    assert json.loads(said)["verdict"] == "GO", told
    assert left(project, [*pids, child.pid]) == []


def test_the_suites_do_not_outlive_a_killed_gate(project: Path) -> None:
    plant(project, "test_resume.py", WAITS)
    with started(project) as child:
        at_work(project)
        assert working(project)
        child.kill()
        child.wait()
        wait_until(lambda: not working(project), 60, "the suites to end with their gate")


def test_what_outlives_a_kill_of_the_suites_is_named() -> None:
    """Looked at once, right after the kill, when the kernel has not ended it yet."""
    with subprocess.Popen(["sleep", "60"], env={lifetime.GATE: "a-gate-of-this-test"}) as worker:
        running = psutil.Process(worker.pid)
        wait_until(lambda: lifetime.GATE in running.environ(), 60, "it to be known")
        with pytest.raises(InfrastructureError, match=f"pid {worker.pid}; end them by hand"):
            lifetime.kill_group("a-gate-of-this-test", patience=0.0)
        assert worker.wait() == -signal.SIGKILL
    assert lifetime.kill_group("a-gate-of-this-test") == 0


def test_a_gate_that_cannot_start_deletes_nothing(project: Path) -> None:
    gate(project)
    before = {path: path.read_bytes() for path in (project / "build").rglob("*.[jhm]*")}
    assert len(before) > 5
    broken = (
        (("--pg-version", "9"), 3),
        (("--plan", "sql/none.toml"), 2),
        (("--dsn", "host=127.0.0.1 port=1 dbname=x", "--server", "auto"), 2),
        (("--server", "existing"), 2),
    )
    for arguments, wanted in broken:
        status, document, _ = gate(project, *arguments)
        assert (status, document["exit_status"]) in ((wanted, wanted), (3, 3)), document
    plant(project, "conftest.py", "raise RuntimeError('no such luck')\n")
    status, _, told = gate(project)
    assert status == 2
    assert "pytest refused to start: RuntimeError: no such luck" in told
    assert "no such luck" in (project / "build" / build.REFUSED).read_text()
    after = {path: path.read_bytes() for path in (project / "build").rglob("*.[jhm]*")}
    assert after == before


@pytest.mark.parametrize("name", ["build", "build/report", "build/verdict.json/x"])
def test_a_build_directory_that_cannot_be_written_is_named_before_any_work(
    tmp_path: Path, name: str
) -> None:
    blocked = tmp_path / name
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("")
    with pytest.raises(UsageError, match="cannot write: ") as caught:
        build.check_writable(tmp_path / "build")
    assert str(tmp_path / "build") in str(caught.value.where)


def test_a_run_that_is_cut_short_is_no_go(project: Path) -> None:
    ends = """
import os
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        os._exit(0)
"""
    plant(project, "conftest.py", ends)
    status, document, _ = gate(project)
    assert (status, document["verdict"]) == (1, "NO-GO")
    assert document["reasons"][0] == "the run was cut short"


def test_evidence_is_taken_over_without_paths_and_broken_evidence_as_it_is(tmp_path: Path) -> None:
    left = tmp_path / "left" / "evidence"
    left.mkdir(parents=True)
    (left / "a.json").write_text(json.dumps({"said": f"in {tmp_path}/x.py\n/usr/lib/a/b"}))
    (left / "b.json").write_text("{/usr/lib/a")
    (left / "c.json").write_bytes(b'["\xff"]')
    build.check_writable(tmp_path / "build")
    build.take_over(tmp_path / "build", tmp_path / "left", tmp_path)
    there = tmp_path / "build" / "evidence"
    assert json.loads((there / "a.json").read_text()) == {"said": "in x.py\n…/a/b"}
    assert (there / "b.json").read_text() == "{/usr/lib/a"
    assert (there / "c.json").exists()


def test_a_workspace_whose_gate_lives_is_left_alone(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with workspace.opened() as space:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        with subprocess.Popen(command, env={lifetime.GATE: space.token}) as worker:
            running = psutil.Process(worker.pid)
            wait_until(lambda: lifetime.GATE in running.environ(), 60, "it to be known")
            assert workspace.sweep() == []
            assert worker.poll() is None
            (space.path / workspace.OWNER).write_text(json.dumps([2**22, 1.0]))
            assert workspace.sweep() == [space.token]
            assert worker.wait() == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
