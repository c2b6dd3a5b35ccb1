"""Processes that do not outlive the one that they work for."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import multiprocessing
import os
import select
import signal
import sys
from typing import Final

import psutil

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until

GATE = "HARNESS_GATE"  # in the environment of everything that a gate starts: which gate
STARTER = "HARNESS_GATE_PID"  # likewise: its process
PATIENCE: Final = 20.0  # seconds for what was killed to end
_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have this worker of a pool killed when its parent ends, however that one ends.

    A worker of its own accord waits for ever: the ends of its queues that it holds itself keep them
    open. What the parent alone holds is the other end of the sentinel. The kernel says by SIGIO
    that it was closed, which ends a process by default, and needs no thread: a worker may fork.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None, "not a worker of a pool"
    sentinel = int(parent.sentinel)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([sentinel], [], [], 0)[0]:  # it had ended before
        os._exit(1)


def end_with_starter(starter: int | None = None) -> None:
    """Have this process killed when the one that started it ends, where the kernel can do that."""
    if not sys.platform.startswith("linux"):
        return
    starter = starter or os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != starter:  # it had ended before
        os._exit(1)


def kill_group(token: str, patience: float = PATIENCE) -> int:
    """Kill every process that carries this gate's name in its environment; how many there were.

    A process that is being forked may be missed once: it is looked until none is left. Raises
    InfrastructureError naming those that are still there after `patience` seconds.
    """
    killed: set[int] = set()
    left: list[psutil.Process] = []

    def none_left() -> bool:
        left[:] = [process for process in psutil.process_iter() if _belongs(process, token)]
        for process in left:
            killed.add(process.pid)
            with contextlib.suppress(psutil.Error):
                process.kill()
        return not left

    try:
        wait_until(none_left, patience, "the end of what a gate started")
    except TimeoutError:
        pids = ", ".join(str(process.pid) for process in left)
        raise InfrastructureError(
            f"SIGKILL does not end what a gate started: pid {pids}",
            hint="end them by hand, then run the gate again",
        ) from None
    return len(killed)


def _belongs(process: psutil.Process, token: str) -> bool:
    try:
        alive = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get(GATE) == token
    except (psutil.Error, OSError):
        return False
