"""Whether a process has ended: gone, or dead and waiting for an init that takes its time."""

from __future__ import annotations

import psutil

DEAD = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def has_ended(process: psutil.Process) -> bool:
    """Whether it has; it may end while we look, and its number may be another's by then."""
    try:
        return not process.is_running() or process.status() in DEAD
    except psutil.NoSuchProcess:
        return True


def pid_has_ended(pid: int) -> bool:
    """The same by its number alone."""
    try:
        return has_ended(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True
