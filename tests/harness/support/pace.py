"""How much slower than alone a program runs at this moment: a control beside what is timed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

CONTROL = [sys.executable, "-I", "-S", "-c", "sum(range(200_000))"]


@dataclass
class Control:
    """Runs of one small program: how long they took, and how much of that they worked."""

    waited: float = 0.0
    worked: float = 0.0

    @property
    def slowdown(self) -> float:
        """How many times longer a run took than it worked: 1 on an idle machine."""
        return max(1.0, self.waited / self.worked)

    def run_once(self) -> None:
        """Run the program and count it in."""
        began = time.monotonic()
        pid = os.posix_spawn(sys.executable, CONTROL, os.environ)
        _, _, used = os.wait4(pid, 0)
        self.waited += time.monotonic() - began
        self.worked += used.ru_utime + used.ru_stime


@contextmanager
def control() -> Iterator[Control]:
    """Run the control again and again while the block is at work, at least once."""
    found, over = Control(), threading.Event()

    def repeat() -> None:
        found.run_once()
        while not over.wait(0.05):
            found.run_once()

    beside = threading.Thread(target=repeat)
    beside.start()
    try:
        yield found
    finally:
        over.set()
        beside.join()
