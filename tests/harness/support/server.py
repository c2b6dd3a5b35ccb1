"""What the server tests share: processes that own servers, and looking at what is left of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.server import process

OWNER = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what nohup starts, this
from harness.server import choose
server = choose(sys.argv[1], profile=sys.argv[2])
server.start()
print(json.dumps(server.record()), flush=True)
{then}
"""
WAIT = "sys.stdin.read()"


def require(part: str, reason: str) -> None:
    """Skip on a laptop, fail where HARNESS_REQUIRE names the part."""
    if part in os.environ.get("HARNESS_REQUIRE", ""):
        pytest.fail(f"{part} is required here: {reason}")
    pytest.skip(f"{part}: {reason}")


def own(provider: str, then: str = WAIT) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A process that starts a server and owns it, and the server's record."""
    child = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(then=then), provider, "fast"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line, "the owner did not start its server"
    return child, json.loads(line)


def end(child: subprocess.Popen[str]) -> int:
    """Wait for an owner to end."""
    child.communicate(timeout=60)
    return child.returncode


def left_of(record: dict[str, Any]) -> list[str]:
    """Everything that is left of a local server: processes, files, record, shared memory."""
    home = Path(record["home"])
    left = [f"process {pid}" for pid in process.of_server(home / "data")]
    left += [str(path) for path in (home, record_file(record)) if path.exists()]
    return left


def record_file(record: dict[str, Any]) -> Path:
    from harness.server import directories

    return directories.run_dir() / f"{record['id']}.json"


def segments() -> set[int]:
    """The ids of the System V shared memory segments of this machine, by the kernel's list."""
    table = Path("/proc/sysvipc/shm")
    if not table.exists():
        pytest.skip("no list of shared memory segments here")
    return {int(line.split()[1]) for line in table.read_text().splitlines()[1:]}


def one(dsn: str, query: str) -> Any:
    """The first column of the first row of a query."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(query).fetchone()  # type: ignore[call-overload, unused-ignore]
    assert row is not None
    return row[0]
