"""Records of running servers and their owners: so that nothing outlives its owner for long."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from filelock import FileLock

from harness.core.errors import InfrastructureError
from harness.core.jsonfile import write_whole
from harness.server import directories, process
from harness.server.protocol import Record

_guarded: set[int] = set()
_ENDINGS: Final = (signal.SIGTERM, signal.SIGHUP)


def new_id() -> str:
    """A short name, unique on this machine."""
    return secrets.token_hex(4)


def owner(pid: int | None) -> list[float]:
    """The owner in a record: a pid and when it started, since pids are reused."""
    pid = pid or os.getpid()
    return [pid, process.started(pid) or 0.0]


def lock() -> FileLock:
    """The lock under which records are reaped and ports are taken; reentrant, as a signal handler
    needs it too.
    """
    return FileLock(directories.run_dir() / "lock", is_singleton=True)


def save(record: Record) -> None:
    """Write a record; whole or not at all."""
    write_whole(path_of(record["id"]), json.dumps({**record, "host": socket.gethostname()}))


def forget(identifier: str) -> None:
    """Remove a record; it may be gone."""
    path_of(identifier).unlink(missing_ok=True)


def records() -> Iterator[Record]:
    """Every record of this machine."""
    for path in sorted(directories.run_dir().glob("*.json")):
        with contextlib.suppress(FileNotFoundError, ValueError):
            record = json.loads(path.read_text())
            if record.get("host") == socket.gethostname():
                yield record


def ports() -> set[int]:
    """The ports that recorded servers hold, running or not."""
    return {record["port"] for record in records() if record.get("port")}


def is_orphan(record: Record) -> bool:
    """Whether the process that owned it is gone."""
    pid, started = record["owner"]
    return bool(process.started(int(pid)) != started)


def keep(identifier: str) -> None:
    """Let a server outlive its owner's orderly end; the first reap after that closes it."""
    for record in records():
        if record["id"] == identifier:
            save({**record, "kept": True})


def close_where(condition: Callable[[Record], bool], close: Callable[[Record], None]) -> list[str]:
    """Close every recorded server that meets the condition; says which.

    One that cannot be closed now (its container engine is away) stays recorded for the next time.
    """
    closed = []
    with lock():
        for record in [record for record in records() if condition(record)]:
            with contextlib.suppress(InfrastructureError):
                close(record)
                owner_pid = int(record["owner"][0])
                closed.append(f"{record['provider']} {record['id']} of pid {owner_pid}")
    return closed


def guard(close_mine: Callable[[], object]) -> None:
    """Close what this process owns when it ends: by exit, Ctrl-C or a signal whose default is
    death.

    A fork of the process owns nothing. SIGKILL leaves the servers to the next reap.
    """
    pid = os.getpid()
    if pid in _guarded:
        return
    _guarded.add(pid)

    def end() -> None:
        if os.getpid() == pid:
            close_mine()

    atexit.register(end)
    if threading.current_thread() is threading.main_thread():
        for ending in _ENDINGS:
            if signal.getsignal(ending) is signal.SIG_DFL:
                signal.signal(ending, _then_die(end))


def _then_die(end: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
    """A handler that cleans up and dies of the same signal, so that the parent sees the truth."""

    def handle(number: int, _frame: FrameType | None) -> None:
        end()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    return handle


def path_of(identifier: str) -> Path:
    """The record of a server, which holds its password and is ours alone to read."""
    return directories.run_dir() / f"{identifier}.json"
