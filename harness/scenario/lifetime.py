"""A worker of a pool that does not outlive the process whose pool it is."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import select
import signal


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
