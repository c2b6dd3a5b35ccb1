"""The bound on what users wait for: the sum of a transaction's locks and its work.

A lock_timeout limits the wait for one lock only: a transaction that has the first of two may hold
it for as long as it waits for the second. So while a transaction is at work its victims are looked
at, from beside it, and it is cancelled before one of them has waited too long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.plan import RunnerSettings, Script
from harness.runner.sql_comments import HEARTBEAT

LookAsker = Callable[[str], tuple[str, ...] | None]
"""Asks the server beside the transaction: the answer's first row, None where there is none."""
QUERY = Path(__file__).with_name("wait_bound.sql").read_text()
STRIKE = 0.8
"""So much of the bound a victim may have waited: the rest is for looking, and for going back."""
LOOKS = 10  # within a bound


@dataclass(frozen=True)
class _Watched:
    """A transaction that is at work: its bound, and when it began by our clock."""

    bound: float
    began: float


def bound_of(settings: RunnerSettings, script: Script | None) -> float:
    """How long somebody may wait for the locks of a script; 0 for as long as it takes."""
    if script is None or script.kind == "concurrent" or not settings.max_wait:
        return 0.0  # an index that is built concurrently stops nobody
    return settings.max_wait if script.max_wait is None else script.max_wait


class WaitBound:
    """Shared by the runner, which begins and ends transactions, and by the thread that looks."""

    def __init__(self) -> None:
        self._look = threading.Lock()
        self._watched: _Watched | None = None
        self._next = 0.0
        self._victim = ""

    def begin(self, bound: float) -> None:
        """A transaction begins."""
        with self._look:
            now = time.monotonic()
            self._victim = ""
            self._watched = _Watched(bound, now) if bound else None
            self._next = now + STRIKE * bound

    def end(self) -> None:
        """It has ended; gone on with when no look is under way."""
        with self._look:
            self._watched = None

    def victim(self) -> str:
        """For whom the last transaction was cancelled, in words; empty when it was not."""
        with self._look:
            return self._victim

    def look(self, pid: int | None, ask: LookAsker) -> None:
        """Cancel the transaction if somebody has waited for it for too long, and it is time."""
        with self._look:
            watched = self._watched
            if watched is None or pid is None or time.monotonic() < self._next:
                return
            self._next = time.monotonic() + watched.bound / LOOKS
            row = ask(query(pid, watched.bound))
            if row is not None:
                who, application, waited = row
                name = f" ({application})" if application else ""
                self._victim = (
                    f"process {who}{name} waited {1000 * float(waited):.0f} ms for the locks of"
                    f" this step (max_wait = {1000 * watched.bound:g} ms)"
                )


def query(pid: int, bound: float) -> str:
    """Cancel the transaction of a server process, if one waits for it so long; who it is."""
    values = {":pid": str(int(pid)), ":strike": repr(STRIKE * bound)}
    text = QUERY
    for name, value in values.items():
        text = text.replace(name, value)
    return f"{HEARTBEAT} {text}"
