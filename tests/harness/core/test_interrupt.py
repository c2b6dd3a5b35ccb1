"""Ctrl-C, SIGTERM and SIGKILL of what works on servers of its own: it ends, nothing is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from harness.core.errors import Stopped
from harness.core.interrupt import interruptible, shielded
from harness.core.poll import wait_until
from harness.server import process, registry, workplace
from tests.harness.support.ended import has_ended
from tests.harness.support.pace import control
from tests.harness.support.runner import SmallPlan

SOON = 3.0  # seconds that a person waits after Ctrl-C
POINTS = ("--domain", "wire,pinned,tampered", "--points", "60", "--rows", "0", "--json")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SmallPlan(tmp_path_factory.mktemp("plan")).load().path


@contextmanager
def running(*command: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """The harness at work, from the line on that `until` matches."""
    with subprocess.Popen(
        [sys.executable, "-m", "harness", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            assert child.stderr is not None
            for line in child.stderr:
                if re.search(until, line):
                    break
            yield child
        finally:
            child.kill()


def workers_of(child: subprocess.Popen[str]) -> list[psutil.Process]:
    """What the harness has started, once a worker is there: a tracker, their parent, and it."""

    def started() -> list[psutil.Process]:
        found = psutil.Process(child.pid).children(recursive=True)
        return found if sum(map(_works, found)) >= 3 else []

    return wait_until(started, 60, "a worker to begin")


def left_of(pid: int, processes: list[psutil.Process]) -> list[str]:
    """What is left of an exploration: processes, servers, directories."""
    found = [str(one.pid) for one in processes if not has_ended(one)]
    found += [str(record["id"]) for record in registry.records() if record["owner"][0] == pid]
    return found + [str(path) for path in Path("/tmp").glob(f"{workplace.PREFIX}-{pid}-*")]  # noqa: S108 - looked at


@pytest.mark.parametrize(
    ("number", "until"),
    [(signal.SIGINT, "striking"), (signal.SIGTERM, "looking for points")],
    ids=["SIGINT", "SIGTERM"],
)
def test_a_stopped_exploration_ends_at_once_with_status_5_and_leaves_nothing(
    plan: Path, tmp_path: Path, number: signal.Signals, until: str
) -> None:
    with running(
        "crash", "--plan", str(plan), *POINTS, "--build", str(tmp_path), until=until
    ) as child:
        processes = workers_of(child)
        with control() as machine:
            began = time.monotonic()
            os.kill(child.pid, number)
            out, err = child.communicate(timeout=60)
            took = time.monotonic() - began
    assert child.returncode == 5, err
    assert json.loads(out)["exit_status"] == 5
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith(f"error: the exploration was stopped by {number.name}")
    wait_until(lambda: not left_of(child.pid, processes), 30, "nothing to be left")
    assert took < SOON * machine.slowdown


def test_a_killed_exploration_leaves_nothing_behind_the_next_look(
    plan: Path, tmp_path: Path
) -> None:
    with running(
        "crash", "--plan", str(plan), *POINTS, "--build", str(tmp_path), until="striking"
    ) as child:
        processes = workers_of(child)
        assert any(map(_works, processes)), "there are workers to be left behind"
        child.kill()
        child.wait()
    wait_until(lambda: not any(map(_works, processes)), 30, "the workers to end")
    from harness.server import reap

    reap()
    with workplace.workplace():
        pass
    wait_until(lambda: not left_of(child.pid, processes), 30, "nothing to be left")


def _works(one: psutil.Process) -> bool:
    """Whether a process lives and is none of a server's: those are ended by the next reap."""
    try:
        return one.status() != psutil.STATUS_ZOMBIE and "postgres" not in one.name()
    except psutil.NoSuchProcess:
        return False


def test_a_directory_of_a_living_process_stays() -> None:
    with workplace.workplace() as one, workplace.workplace():
        assert one.is_dir()
    assert not one.exists()


def test_a_directory_of_a_dead_process_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = tmp_path / f"{workplace.PREFIX}-999999999-1-abc"
    other = tmp_path / f"{workplace.PREFIX}-{os.getpid()}-{process.started(os.getpid()):.0f}-abc"
    for path in (gone, other):
        path.mkdir()
    with workplace.workplace():
        pass
    assert [path.name for path in tmp_path.iterdir()] == [other.name]


def test_a_stop_waits_until_what_must_not_be_left_half_done_is_done() -> None:
    done: list[str] = []

    def work() -> None:
        with interruptible("the work", "run it again"):
            with shielded():
                os.kill(os.getpid(), signal.SIGINT)
                done.append("all of it")
            done.append("more")

    with pytest.raises(Stopped, match="SIGINT"):
        work()
    assert done == ["all of it"]
