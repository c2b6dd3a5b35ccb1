"""A dask scheduler and workers on loopback, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.core.child import dies_with_us
from harness.core.poll import wait_until

LONG = 600.0


@dataclass(frozen=True)
class Cluster:
    """Address of the scheduler, and the processes of its workers by their addresses."""

    address: str
    workers: dict[str, subprocess.Popen[bytes]]


@contextmanager
def cluster(place: Path, workers: Sequence[Path]) -> Iterator[Cluster]:
    """A scheduler without a dashboard, and a worker in each of these directories."""
    started: list[subprocess.Popen[bytes]] = []
    log = (place / "cluster.log").open("wb")

    def start(*words: str, cwd: Path = place) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=cwd,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=dies_with_us(),
            start_new_session=True,
        )
        started.append(process)
        return process

    try:
        note = place / "scheduler.json"
        start(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
            "--scheduler-file", str(note), "--no-dashboard",
        )  # fmt: skip
        address = wait_until(lambda: _address(note), LONG, "the scheduler")
        yield _joined(address, [_worker(start, place, note, cwd) for cwd in workers])
    finally:
        for process in reversed(started):
            _end(process)
        log.close()


Start = Callable[..., "subprocess.Popen[bytes]"]


def _worker(start: Start, place: Path, note: Path, cwd: Path) -> subprocess.Popen[bytes]:
    return start(
        "distributed.cli.dask_worker", "--scheduler-file", str(note), "--no-nanny",
        "--no-dashboard", "--nthreads", "1", "--host", "127.0.0.1",
        "--local-directory", str(place / "dask"), cwd=cwd,
    )  # fmt: skip


def _address(note: Path) -> str:
    """What the scheduler wrote there, once it is whole."""
    try:
        return str(json.loads(note.read_text())["address"])
    except (FileNotFoundError, ValueError):
        return ""


def _joined(address: str, processes: list[subprocess.Popen[bytes]]) -> Cluster:
    """The cluster once every worker has joined it; its workers are in the order of their starts."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(len(processes), timeout=LONG)
        by_pid = {pid: worker for worker, pid in client.run(os.getpid).items()}
    return Cluster(address, {by_pid[process.pid]: process for process in processes})


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        below = []
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for one in below:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
