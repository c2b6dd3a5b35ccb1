"""How far the suites are: a line redrawn at a terminal, in a log a line for each suite at its end
and one every ten seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.scenario.gate.recorder import Advance

EVERY = 10.0  # seconds between two lines of a log
WIDEST_BAR = 20


class Narrator(Protocol):
    """Who is told: of each test that ended, and that time goes by."""

    def ended(self, advance: Advance) -> None:
        """A test came to its end."""

    def tick(self) -> None:
        """About a second went by."""


class GateLog:
    """Lines for a file or a pipe."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic):
        self._write = write
        self._clock = clock
        self._began = self._told = clock()
        self._last: Advance | None = None

    def ended(self, advance: Advance) -> None:
        """Say so when it was its suite's last."""
        self._last = advance
        if advance.left == 0:
            self._write(f"  {suite_line(advance)}")
            self._told = self._clock()

    def tick(self) -> None:
        """Every ten seconds, how far it is."""
        now = self._clock()
        if now - self._told >= EVERY:
            self._told = now
            self._write(f"  {standing(self._last, now - self._began)}")


class GateBar:
    """A line of a terminal, drawn again and again, never wider than the terminal."""

    def __init__(self, live: Live, console: Console, clock: Callable[[], float] = time.monotonic):
        self._live = live
        self._console = console
        self._clock = clock
        self._began = clock()
        self._last: Advance | None = None

    def ended(self, advance: Advance) -> None:
        """Draw it; a suite's last test leaves a line behind."""
        self._last = advance
        if advance.left == 0:
            self._console.print(f"  {suite_line(advance)}", markup=False, overflow="ellipsis")
        self.tick()

    def tick(self) -> None:
        """Draw it with the time that went by."""
        text = drawn(self._last, self._clock() - self._began, self._console.width)
        self._live.update(Text(text, no_wrap=True, overflow="crop"))


def suite_line(advance: Advance) -> str:
    """One suite at its end."""
    suite = advance.suite
    total = suite.passed + suite.failed + suite.skipped
    return f"{suite.verdict:<8}{suite.name:<14}{suite.passed:>4} of {total}"


def standing(advance: Advance | None, seconds: float) -> str:
    """How many tests, how fast, and how long it will take."""
    if advance is None or not advance.done:
        return f"nothing has ended yet, {seconds:.0f} s"
    rate = advance.done / max(seconds, 0.001)
    left = (advance.total - advance.done) / rate
    return f"{advance.done} of {advance.total} tests, {rate:.1f}/s, {left:.0f} s left"


def drawn(advance: Advance | None, seconds: float, width: int) -> str:
    """A bar and figures that fit the width; the bar goes first where there is no room."""
    figures = standing(advance, seconds)
    room = min(WIDEST_BAR, width - len(figures) - 4)
    if advance is None or room < 4:
        return f" {figures}"[:width]
    filled = room * advance.done // max(advance.total, 1)
    line = f"  {'━' * filled}{'─' * (room - filled)} {figures}"
    return f"{line} {advance.nodeid.split('::')[-1]}"[:width]


@contextmanager
def narrator(console: Console) -> Iterator[Narrator]:
    """For a terminal or for a log."""
    if not console.is_terminal:
        yield GateLog(lambda line: console.print(line, markup=False))
        return
    with Live(console=console, transient=True, refresh_per_second=4) as live:
        yield GateBar(live, console)
