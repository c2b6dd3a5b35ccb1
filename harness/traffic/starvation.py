"""How long the processes of a server could have worked and had no core, as the kernel counts it.

A lock is held for longer where its holder waits for a core: that is the machine's doing. Only of a
server on this machine, where `/proc` has `schedstat`; elsewhere nothing is known, and nothing is
excused.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
EVERY: Final = 0.1  # seconds between two looks, about
NANOSECONDS: Final = 1e9


@dataclass
class ProcessLooks:
    """Looks at one process: when, and how long it had waited for a core by then, in seconds."""

    moments: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)


@dataclass
class StarvationWitness:
    """Looks at every process of a server from time to time; `postmaster` is its process now."""

    postmaster: Callable[[], int | None]
    proc: Path = PROC
    processes: dict[int, ProcessLooks] = field(default_factory=dict)
    _next: float = 0.0

    def look(self) -> None:
        """Take down what the kernel has counted; too soon after the last time nothing is done."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        for pid in self._backends():
            with suppress(OSError, ValueError, IndexError):
                text = (self.proc / str(pid) / "schedstat").read_text("ascii")
                counted = self.processes.setdefault(pid, ProcessLooks())
                counted.waited.append(int(text.split()[1]) / NANOSECONDS)
                counted.moments.append(now)

    def _backends(self) -> list[int]:
        parent = self.postmaster()
        if parent is None:
            return []
        path = self.proc / str(parent) / "task" / str(parent) / "children"
        try:
            return [int(word) for word in path.read_text("ascii").split()]
        except (OSError, ValueError):
            return []

    def starved(self, pid: int, begun: float, ended: float) -> float:
        """For how many seconds a process surely waited for a core between two moments."""
        counted = self.processes.get(pid)
        if counted is None:
            return 0.0
        # between looks that both lie in the span: what is not known to be of it is not excused
        first = bisect_left(counted.moments, begun)
        last = bisect_right(counted.moments, ended) - 1
        if last <= first:
            return 0.0
        return min(ended - begun, max(0.0, counted.waited[last] - counted.waited[first]))
