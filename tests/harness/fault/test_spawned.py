"""Foreign programs: nothing of them outlives a kill, and how they ended is known."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from harness.core.errors import InfrastructureError, UsageError
from harness.core.poll import wait_until
from harness.fault import spawned
from harness.fault.spawned import MARK, SpawnedProcess, running_tree, spawn

ENVIRONMENT = {"PATH": os.environ["PATH"]}
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
os.wait()
if sys.argv[2] == "stay":
    time.sleep(600)
"""


def python(text: str, *arguments: str) -> SpawnedProcess:
    return spawn([sys.executable, "-c", text, *arguments], ENVIRONMENT)


def daemon_of(tmp_path: Path, then: str) -> tuple[SpawnedProcess, int]:
    """A run whose child has left its session and its parent; the child's pid."""
    file = tmp_path / "pid"
    process = python(DAEMON, str(file), then)
    wait_until(lambda: file.exists() and bool(file.read_text()), 60, "the child's pid")
    return process, int(file.read_text())


@pytest.mark.parametrize("then", ["stay", "end"])
def test_a_kill_reaches_what_left_group_session_and_parent(tmp_path: Path, then: str) -> None:
    process, child = daemon_of(tmp_path, then)
    assert child in set(running_tree(process.pid, process.mark))
    if then == "stay":
        assert process.kill().status == -signal.SIGKILL
    else:
        assert process.wait().status == 0  # it ended by itself; what it left does not stay
    assert child not in set(running_tree(process.pid, process.mark))


def test_only_the_run_is_killed() -> None:
    with python("import time; time.sleep(600)") as other:
        python("import time; time.sleep(600)").kill()
        assert not other.has_ended()


def test_a_signal_reaches_the_group() -> None:
    with spawn(["/bin/sh", "-c", "sleep 600 & wait; exit 7"], ENVIRONMENT) as process:
        wait_until(lambda: len(set(running_tree(process.pid, process.mark))) == 2, 60, "the child")
        process.signal(signal.SIGTERM)
        assert process.wait(60).status == -signal.SIGTERM


def test_its_last_lines_say_how_it_ended() -> None:
    process = python("import sys; print('a\\nb\\nc\\n\\nd'); sys.exit(3)")
    ending = process.wait()
    assert (ending.status, ending.error) == (3, "b / c / d")


def test_more_output_than_a_pipe_holds_does_not_stop_it() -> None:
    assert python("print('x' * 2_000_000)").wait(30).status == 0


def test_a_run_over_its_limit_is_killed() -> None:
    process = python("import time; time.sleep(600)")
    with pytest.raises(TimeoutError, match=r"within 0\.2 s"):
        process.wait(0.2)
    assert not set(running_tree(process.pid, process.mark))


def test_what_outlives_a_kill_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at once, right after the kill, when the kernel has not ended it yet."""
    process, child = daemon_of(tmp_path, "end")
    monkeypatch.setattr(spawned, "PATIENCE", 0.0)
    with pytest.raises(InfrastructureError, match=f"pid {child}; end them by hand"):
        process.wait()
    assert process.has_ended()


def test_nothing_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    process = python("import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))")
    assert process.wait().error == str(sorted([MARK, "PATH"]))


@pytest.mark.parametrize("name", ["/nowhere/at/all", "/etc"])
def test_what_cannot_be_started_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        spawn([name], ENVIRONMENT)


def test_a_directory_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="/nowhere"):
        spawn(["/bin/true"], ENVIRONMENT, Path("/nowhere"))
