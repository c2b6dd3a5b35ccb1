"""Nothing outlives its owner: at an exit, a Ctrl-C, a signal, a SIGKILL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.server import attach, choose, close_owned, directories, keep, pidfile, process, reap
from tests.harness.support.server import WAIT, end, left_of, one, own, record_file, segments

LONG = 'import time; time.sleep(60)  # "busy" until a signal comes'
FORK = """
import os
pid = os.fork()
if pid == 0:
    raise SystemExit(0)
os.waitpid(pid, 0)
"""


@pytest.fixture(autouse=True, scope="module")
def records_of_our_own() -> Iterator[None]:
    """A cache without anybody else's servers: no other harness of this machine reaps ours."""
    shared = directories.cache_root()
    ours = Path(tempfile.mkdtemp(prefix="owner-", dir="/var/tmp"))
    ours.chmod(0o755)  # a server's account enters it too
    for name in ("prepared", "binaries"):
        if (shared / name).exists():
            (ours / name).symlink_to(shared / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(ours))
        directories.cache_root.cache_clear()
        yield
        left = list(directories.run_dir().glob("*.json"))
    directories.cache_root.cache_clear()
    shutil.rmtree(ours)
    assert left == []


def test_an_orderly_exit_leaves_nothing() -> None:
    owner, record = own("embedded")
    assert left_of(record)
    assert end(owner) == 0
    assert left_of(record) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_deadly_signal_leaves_nothing_and_still_kills(number: signal.Signals) -> None:
    owner, record = own("embedded", then=LONG)
    assert left_of(record)
    owner.send_signal(number)
    assert end(owner) == -number
    assert left_of(record) == []


def test_a_crash_of_the_owner_leaves_nothing() -> None:
    owner, record = own("embedded", then="raise SystemExit(7)")
    assert end(owner) == 7
    assert left_of(record) == []


def test_after_a_sigkill_of_the_owner_the_next_reap_leaves_nothing() -> None:
    owner, record = own("embedded")
    found = pidfile.read(attach(record).data_dir)  # type: ignore[arg-type]
    assert found is not None
    owner.kill()
    end(owner)
    assert one(attach(record).dsn(), "select 1") == 1, "the server should have survived its owner"
    assert any(record["id"] in line for line in reap())
    assert left_of(record) == []
    assert found.shared_memory not in segments()


def test_choosing_a_server_reaps_first() -> None:
    owner, record = own("embedded")
    owner.kill()
    end(owner)
    choose("embedded").close()
    assert left_of(record) == []


def test_reap_leaves_the_servers_of_the_living_alone() -> None:
    owner, record = own("embedded")
    assert not any(record["id"] in line for line in reap())
    assert one(attach(record).dsn(), "select 1") == 1
    end(owner)


def test_a_reused_pid_is_not_the_owner() -> None:
    server = choose("embedded")
    server.start()
    record = server.record()
    earlier = {**record, "owner": [os.getpid(), record["owner"][1] - 1]}
    record_file(record).write_text(json.dumps({**earlier, "host": os.uname().nodename}))
    (said,) = reap()
    assert record["id"] in said
    assert left_of(record) == []


def test_a_fork_of_the_owner_ends_without_ending_the_server() -> None:
    owner, record = own("embedded", then=FORK + WAIT)
    assert one(attach(record).dsn(), "select 1") == 1
    assert owner.stdin is not None
    assert process.started(owner.pid)
    owner.stdin.close()
    owner.stdin = None
    assert end(owner) == 0
    assert left_of(record) == []


WORKER = """
import json, sys
from harness.server import choose, close_owned
server = choose("embedded", owner_pid=int(sys.argv[1]))
server.start()
print(json.dumps([close_owned(), server.record()]))
"""


def test_a_server_belongs_to_whom_it_was_made_for() -> None:
    """As under xdist: a worker makes the server, the controller owns it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        command = [sys.executable, "-W", "default", "-c", WORKER, str(owner.pid)]
        worker = subprocess.run(command, check=True, capture_output=True, text=True)
        assert worker.stderr == ""  # nor any warning that the server is still running
        closed, record = json.loads(worker.stdout)
        assert closed == []
        assert one(attach(record).dsn(), "select 1") == 1  # the worker has ended, its owner has not
        assert close_owned(owner.pid) != []
        assert left_of(record) == []
        owner.communicate(b"\n")


def test_a_kept_server_outlives_its_owner_once() -> None:
    owner, record = own("embedded")
    keep(record)
    assert end(owner) == 0
    assert one(attach(record).dsn(), "select 1") == 1
    (said,) = reap()
    assert record["id"] in said
    assert left_of(record) == []


ATTACH = """
import json, sys
from harness.server import attach
server = attach(json.loads(sys.argv[1]))
server.kill()
server.restart()
print(server.dsn(), server.pid)
"""


def test_another_process_can_kill_and_restart_a_server() -> None:
    server = choose("embedded", profile="durable")
    server.start()
    before = server.pid
    done = subprocess.run(
        [sys.executable, "-c", ATTACH, json.dumps(server.record())],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [server.dsn(), str(server.pid)]
    assert server.pid not in (None, before)
    server.close()
    assert left_of(server.record()) == []
