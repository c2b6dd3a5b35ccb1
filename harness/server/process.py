"""Processes of a server: who owns it, which they are, and killing all of them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil

from harness.core.poll import wait_until


def started(pid: int) -> float | None:
    """When a process started, None when there is none; with its pid this names one process for
    good.

    On Linux the kernel's own tick count: psutil derives a time from it that moves with the clock.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        fields = []
    except OSError:
        return None
    if fields:
        return None if fields[0] in "ZX" else float(fields[19])
    if Path("/proc/self/stat").exists():
        return None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def of_server(data_dir: Path) -> list[int]:
    """Every process that works in a data directory: the postmaster, its children, and what these
    run.

    The working directory finds them also when the postmaster is dead and they have become orphans.
    """
    wanted = str(data_dir)
    return [pid for pid, cwd in _working_directories() if cwd == wanted and pid != os.getpid()]


def _working_directories() -> Iterator[tuple[int, str]]:
    if not Path("/proc/self/cwd").exists():
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                yield process.pid, process.cwd()
        return
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), str(Path(entry.path, "cwd").readlink())


def kill_all(data_dir: Path, postmaster: int | None, timeout: float = 20.0) -> list[int]:
    """SIGKILL every process in the data directory, the postmaster last, until none is left.

    The postmaster stands still meanwhile: it forks no more, so the scan sees everyone, and nobody
    sees it die. Backends that did would end in good order and let go of their locks, and whoever
    waited for these could still commit, which no crash is like.
    """
    killed: set[int] = set()
    stopped = postmaster if postmaster in of_server(data_dir) else None
    if stopped is not None:
        _stop(stopped, timeout)

    def none_left() -> bool:
        left = [pid for pid in of_server(data_dir) if pid != stopped]
        for pid in left:
            _sigkill(pid)
        killed.update(left)
        return not left

    try:
        wait_until(none_left, timeout, f"the processes in {data_dir} to die", pause=0.005)
    finally:
        if stopped is not None:
            _sigkill(stopped)
            killed.add(stopped)
    wait_until(lambda: not of_server(data_dir), timeout, f"the end of {data_dir}", pause=0.005)
    return sorted(killed)


def _stop(pid: int, timeout: float) -> None:
    """SIGSTOP, and return when the process stands still or is gone."""

    def stands() -> bool:
        try:
            return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        wait_until(stands, timeout, f"process {pid} to stand still", pause=0.001)


def _sigkill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def remove_shared_memory(identifier: int) -> None:
    """Remove the System V segment that a killed postmaster left; one that is in use lives on until
    it is not.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).shmctl(identifier, 0, None)


def works_in(pid: int, data_dir: Path) -> bool:
    """Whether a process works in this directory: a pid in a stale file may be anybody's."""
    try:
        return psutil.Process(pid).cwd() == str(data_dir)
    except psutil.Error:
        return False
