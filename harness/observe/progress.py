"""Progress on stderr: a line redrawn for a person at a terminal, now and then a line for a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Event as Ended
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Protocol

from harness.core import progress
from harness.observe.eta_error import HOLDS, RELEASES, EtaErrors
from harness.observe.pace import MeanRate
from harness.observe.standing import ProgressStanding, drawn, line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

    from harness.runner import Event

Advance = Callable[[str, int, int], None]
Clock = Callable[[], float]
FIRST = 2.0  # seconds before a log has its first line
EVERY = 10.0  # seconds between two lines of a log
LOOK = 0.25  # seconds between two looks
SAID = (
    *("retry", "takeover", "edits_accepted", "edits_none", "locks_unseen"),
    *(*HOLDS, *RELEASES),
)
"""Events whose message is left behind as a line."""


class Sink(Protocol):
    """Where progress is shown."""

    def show(self, at: ProgressStanding, pace: MeanRate) -> None:
        """Show it, if it is time to."""

    def say(self, text: str) -> None:
        """Leave a line behind."""


class LineLog:
    """Lines of a file or a pipe, none too soon and none too often."""

    def __init__(self, write: Callable[[str], None], clock: Clock = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._due = clock() + FIRST

    def show(self, at: ProgressStanding, pace: MeanRate) -> None:
        """Write a line when ten seconds have gone by."""
        if self._clock() >= self._due:
            self._due = self._clock() + EVERY
            self._write(line(at, pace))

    def say(self, text: str) -> None:
        """Write a line now."""
        self._write(text)


class TerminalBar:
    """The last line of a terminal."""

    def __init__(self, live: Live, console: Console) -> None:
        self._live, self._console = live, console

    def show(self, at: ProgressStanding, pace: MeanRate) -> None:
        """Draw it, never wider than the terminal."""
        from rich.text import Text

        text = drawn(at, pace, self._console.width - 1)
        self._live.update(Text(text, no_wrap=True, overflow="crop"), refresh=True)

    def say(self, text: str) -> None:
        """Leave a line above the bar."""
        self._console.print(text, markup=False)


class Meter:
    """Takes in how far work is, from any thread, and shows it."""

    def __init__(self, label: str, sink: Sink, clock: Clock = time.monotonic) -> None:
        self._sink, self._clock = sink, clock
        self._lock = Lock()
        self._at, self._pace = ProgressStanding(label), MeanRate(clock)

    def stage(self, name: str, **more: Any) -> None:
        """Another part begins; its rate and its time are its own."""
        with self._lock:
            self._at = ProgressStanding(self._at.label, name, steps=self._at.steps)
            self._at = replace(self._at, **more)
            self._pace = MeanRate(self._clock)

    def told(self, what: str, done: int, total: int, unit: str) -> None:
        """Take in a count."""
        with self._lock:
            if unit != self._at.unit:
                self._pace = MeanRate(self._clock)
                if self._at.steps is None:  # only a run's step is resumed
                    self._pace.at(0, total)
            self._pace.at(done, total)
            self._at = replace(self._at, what=_printable(what), done=done, total=total, unit=unit)

    def hold(self, *, held: bool) -> None:
        """The work is held back, or goes on."""
        with self._lock:
            (self._pace.hold if held else self._pace.release)()

    def tick(self) -> None:
        """Time goes by."""
        with self._lock:
            self._sink.show(self._at, self._pace)

    def say(self, text: str) -> None:
        """Leave a line behind."""
        with self._lock:
            self._sink.say(text)


def _printable(name: str) -> str:
    """A name of the database's may hold anything, a terminal's commands too."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


class Steps:
    """Receives the runner's events; `runs` of them follow one another, as a rehearsal's two."""

    def __init__(self, meter: Meter, runs: int = 1) -> None:
        self._meter, self._runs = meter, runs
        self._base = self._done = self._total = 0
        self._run = ""

    def receive(self, event: Event) -> None:
        """Take in one event."""
        if event.kind in ("run_started", "resumed"):
            self._begun(event)
        elif event.kind == "step_started":
            self._stage(event.step or "")
        elif event.kind in ("measured", "batch"):
            self._meter.told(event.step or "", event.done, event.total, "rows")
        elif event.kind == "step_done":
            self._done += 1
            self._stage("")
        elif event.kind in SAID:
            self._meter.say(f"  {event.step or 'run'}: {event.message}")
        if event.kind in (*HOLDS, *RELEASES):
            self._meter.hold(held=event.kind in HOLDS)

    def _begun(self, event: Event) -> None:
        """A run begins, or goes on from what its ledger says is done."""
        if self._run and event.message != self._run:  # else a lost connection was got over
            self._base, self._runs = self._base + self._total, self._runs - 1
        self._run = event.message
        self._done, self._total = event.done, event.total
        self._stage("")

    def _stage(self, step: str) -> None:
        total = self._base + self._total * max(self._runs, 1)
        self._meter.stage("", what=step, steps=(self._base + self._done, total))


def at_terminal() -> bool:
    """Whether a line can be redrawn on stderr; a wish for colours makes no terminal of a file."""
    there = sys.stderr is not None and sys.stderr.isatty()
    return there and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


@contextmanager
def meter(label: str) -> Iterator[Meter]:
    """Show what the block's work tells."""
    with _shown(label) as shown, progress.heard_by(shown):
        yield shown


@contextmanager
def _shown(label: str, *, lines: bool = True) -> Iterator[Meter]:
    """A meter that looks at itself; without `lines` nothing is written to a log."""
    if not at_terminal():
        log = LineLog(_written if lines else lambda _: None)
        yield from _ticking(Meter(label, log))
        return
    from rich.console import Console  # a log has no use for it, and it is slow to import
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    with Live(console=console, transient=True, auto_refresh=False, redirect_stdout=False) as live:
        yield from _ticking(Meter(label, TerminalBar(live, console)))


def _written(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):  # nobody reads it, or it is closed
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _ticking(shown: Meter) -> Iterator[Meter]:
    ended = Ended()

    def work() -> None:
        while not ended.wait(LOOK):
            shown.tick()

    thread = Thread(target=work, name="progress", daemon=True)
    thread.start()
    try:
        yield shown
    finally:
        ended.set()
        thread.join()


@contextmanager
def bar(label: str, unit: str, *, lines: bool = True) -> Iterator[Advance]:
    """Yield advance(what, done, total), which counts in this unit; nothing else is listened to."""
    with _shown(label, lines=lines) as shown:
        yield lambda what, done, total: shown.told(what, done, total, unit)


@contextmanager
def steps(
    label: str, runs: int = 1, errors: EtaErrors | None = None
) -> Iterator[Callable[[Event], None]]:
    """Yield a receiver of the runner's events; `errors` receives them, too."""
    with meter(label) as shown:
        mine = Steps(shown, runs)

        def receive(event: Event) -> None:
            if errors is not None:
                errors.receive(event)
            mine.receive(event)

        yield receive
