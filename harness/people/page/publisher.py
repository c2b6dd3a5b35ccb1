"""Keeps what is published up to date: reads window, ticks and verdict anew when they change.

A file that cannot be read any more does not take the page away: what was known stays, and the
operator is told. How far a run was is kept beside the page, so that a restart takes nothing back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from harness.core.errors import HarnessError, UsageError
from harness.people.page.checklist import TickStore
from harness.people.page.kept import SeenFile
from harness.people.page.progress import HighWater
from harness.people.page.publication import Publication, publish
from harness.people.page.state import PageEvidence, PageState, page_state
from harness.people.page.verified import read_verdict
from harness.people.window_file import read_window

if TYPE_CHECKING:
    from harness.people.page.reading import LedgerReading
    from harness.plan import Plan

FRESH: Final = timedelta(milliseconds=500)
Found = TypeVar("Found")


class Publisher:
    """Makes what is published, at most twice a second, from any thread.

    `directory` holds ticks, verdict and progress; `reading` is asked for what was seen last, and is
    None where nobody looks at a database. Raises UsageError for a window that cannot be read.
    """

    def __init__(
        self,
        window_file: Path,
        directory: Path,
        plan: Plan,
        reading: Callable[[], LedgerReading | None] | None,
        tell: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        live: bool = True,
        ticking: bool = False,
    ) -> None:
        self.directory, self._file = directory, window_file
        self._reading, self._tell, self.clock = reading, tell, clock
        self._live, self._ticking = live, ticking
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._evidence = PageEvidence(read_window(window_file), plan, connected=reading is not None)
        self.planned_at = self._written_at()
        self._seen = SeenFile(directory, self._evidence.window.id)
        self._marks = HighWater(dict(self._seen.found.percents))
        self._evidence = replace(
            self._evidence,
            ticks=self.store.ticks(),
            verified=read_verdict(directory),
            reading=self._seen.found.reading if reading is not None else None,
        )
        self._published: Publication | None = None

    @property
    def store(self) -> TickStore:
        """Where the ticks of the window are kept."""
        return TickStore(self.directory, self._evidence.window)

    def state(self) -> PageState:
        """What is said now."""
        with self._lock:
            return self._now()

    def publication(self) -> Publication:
        """What is published now; not older than half a second."""
        with self._lock:
            there = self._published
            if there is not None and timedelta() <= self.clock() - there.state.now < FRESH:
                return there
            made = publish(self._now(), self.planned_at, live=self._live, ticking=self._ticking)
            self._published = made
            return made

    def forget(self) -> None:
        """Something was ticked: what is published next shows it."""
        with self._lock:
            self._published = None

    def _now(self) -> PageState:
        window = self._read("the window", lambda: read_window(self._file))
        if window is not None and window != self._evidence.window:
            self._evidence = replace(self._evidence, window=window)
            self.planned_at = self._written_at()
        ticks = self._read("the ticks", self.store.ticks)
        verified = self._read("the verdict", lambda: read_verdict(self.directory))
        self._evidence = replace(
            self._evidence,
            reading=(self._reading() if self._reading else None) or self._evidence.reading,
            ticks=self._evidence.ticks if ticks is None else ticks,
            verified=verified or self._evidence.verified,
        )
        state = page_state(self._evidence, self.clock(), self._marks)
        self._keep()
        return state

    def _read(self, what: str, read: Callable[[], Found]) -> Found | None:
        """What a file says; None, and the operator is told once, where it cannot be read."""
        try:
            return read()
        except HarnessError as error:
            said = f"{what} cannot be read, and stays as it was: {error}"
            if said not in self._said:
                self._said.add(said)
                self._tell(said)
            return None

    def _written_at(self) -> datetime:
        return datetime.fromtimestamp(int(self._file.stat().st_mtime), UTC)

    def _keep(self) -> None:
        """Write down what the next start should know."""
        try:
            self._seen.keep(self._marks.percents, self._evidence.reading)
        except UsageError as error:
            self._tell(str(error))
