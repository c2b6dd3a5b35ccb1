"""What a runner and a server use of the host that we are on: CPU, memory, reads and writes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

SLACK = 5.0  # seconds between the clocks of a database and its runner's host


@dataclass(frozen=True)
class ProcessUse:
    """CPU since it began, memory now; reads and writes of disks, None where they are hidden."""

    cpu_seconds: float
    memory_bytes: int
    read_bytes: int | None = None
    written_bytes: int | None = None


def runner_use(client: str, connected: float) -> ProcessUse | None:
    """Of the runner that signed as user@host:pid; None where it is elsewhere, or gone.

    `connected` is when it took the lock: a process that began later has its number only.
    """
    place, _, number = client.rpartition(":")
    if not number.isdigit() or place.rpartition("@")[2] != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(number))
        if process.create_time() > connected + SLACK:
            return None
        return _of(process)
    except psutil.Error:
        return None


def server_use(postmaster: int) -> ProcessUse | None:
    """Of a server's processes together; None where they cannot be seen.

    CPU is also that of those which have ended. Memory counts what they share once.
    """
    try:
        parent = psutil.Process(postmaster)
        ended = parent.cpu_times()
        family = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return None
    uses = list(_each(family))
    if not uses:
        return None
    shared = [share for _, share in uses]
    written = [use.written_bytes for use, _ in uses]
    read = [use.read_bytes for use, _ in uses]
    return ProcessUse(
        cpu_seconds=sum(use.cpu_seconds for use, _ in uses)
        + float(ended.children_user + ended.children_system),
        memory_bytes=sum(use.memory_bytes - share for use, share in uses) + max(shared),
        read_bytes=None if None in read else sum(filter(None, read)),
        written_bytes=None if None in written else sum(filter(None, written)),
    )


def _each(family: list[psutil.Process]) -> Iterator[tuple[ProcessUse, int]]:
    for process in family:
        with contextlib.suppress(psutil.Error):  # it may have ended just now
            yield _of(process), int(getattr(process.memory_info(), "shared", 0))


def _of(process: psutil.Process) -> ProcessUse:
    times = process.cpu_times()
    cpu, memory = float(times.user + times.system), int(process.memory_info().rss)
    try:
        io = process.io_counters()
    except (psutil.AccessDenied, AttributeError, OSError):
        return ProcessUse(cpu, memory)
    return ProcessUse(cpu, memory, int(io.read_bytes), int(io.write_bytes))
