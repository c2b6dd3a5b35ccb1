"""What a person sees of a run from another terminal: a block of 80 columns and 24 lines."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from harness.core.quantity import time_left

WIDTH = 80
WINDOW = 60.0  # seconds of work that a rate is taken from
ENOUGH = 1.0
ERRORS = 3


@dataclass(frozen=True)
class StepStanding:
    """A step that was begun: how far it came, of about how many rows (0: nobody knows)."""

    name: str
    kind: str
    state: str
    rows: int
    total: int = 0


@dataclass(frozen=True)
class WaitingSession:
    """A session of the run that waits for a lock, and who holds it."""

    pid: int
    seconds: float
    blockers: str


@dataclass(frozen=True)
class IndexBuild:
    """An index that the run builds: the server's word for its phase, and how far that one is.

    `unit` is what is counted: transactions that are waited for, blocks, tuples; "" where nothing
    is. `waits_for` is the process of the transaction that is waited for now, 0 for none.
    """

    phase: str
    done: int = 0
    total: int = 0
    unit: str = ""
    waits_for: int = 0

    def __str__(self) -> str:
        if not self.total:
            return self.phase
        if self.waits_for:
            who = f"now process {self.waits_for}"
            return f"{self.phase}, {self.done} of {self.total} {self.unit}, {who}"
        percent = min(100, 100 * self.done // self.total)
        return f"{self.phase}, {percent}% of {self.total:,} {self.unit}"


@dataclass(frozen=True)
class RunStanding:
    """A database and the run on it, at one moment.

    `at_work`: whether a runner holds the lock. `held`: why batches wait, or who paused the run.
    """

    state: str
    run: int | None = None
    direction: str = ""
    at_work: bool = False
    completed: bool = False
    done: int = 0
    planned: int = 0
    phases: tuple[tuple[str, int, int], ...] = ()
    step: StepStanding | None = None
    build: IndexBuild | None = None
    held: str = ""
    waits: tuple[WaitingSession, ...] = ()
    errors: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seconds: float | None = None
    rows: int = 0


@dataclass
class WorkRate:
    """Rows a second while the run worked: what passed while it was held back is in no rate.

    What came before the first look is in none either, so a resumed run is not faster than it is.
    """

    _samples: deque[tuple[float, int]] = field(default_factory=deque)
    _last: tuple[str, float, int] | None = None

    def at(self, step: str, clock: float, rows: int, *, working: bool) -> None:
        """Take in a look."""
        before, self._last = self._last, (step, clock, rows)
        if before is None or before[0] != step or rows < before[2]:
            self._samples.clear()
            return
        if working:
            self._samples.append((clock - before[1], rows - before[2]))
        while sum(seconds for seconds, _ in self._samples) > WINDOW and len(self._samples) > 1:
            self._samples.popleft()

    def rate(self) -> float | None:
        """Rows a second, None while nobody knows."""
        seconds = sum(taken for taken, _ in self._samples)
        rows = sum(found for _, found in self._samples)
        return rows / seconds if seconds >= ENOUGH and rows > 0 else None

    def left(self, step: StepStanding) -> float | None:
        """Seconds until the step is done, None where there is no rate, or no total that holds."""
        rate = self.rate()
        if rate is None or not step.rows <= step.total:
            return None
        return (step.total - step.rows) / rate


def standing(view: RunStanding) -> str:
    """What the run does now, in a word or two."""
    if view.run is None:
        return "no run"
    if view.completed:
        return "completed"
    if not view.at_work:
        return "no runner is at work"
    return "held back" if view.held else "at work"


def block(view: RunStanding, rate: WorkRate, width: int = WIDTH) -> list[str]:
    """The lines of the block, none wider than `width`."""
    lines = [f"state: {view.state}; {standing(view)}"]
    if view.run is not None:
        took = "" if view.seconds is None else f", for {time_left(view.seconds)}"
        lines.append(
            f"run {view.run} ({view.direction}){took}: {view.done} of {view.planned} steps,"
            f" {view.rows:,} rows"
        )
    lines += [f"  phase {name}: {done} of {total} steps" for name, done, total in _few(view.phases)]
    if view.step is not None and not view.completed:
        lines += _step(view.step, rate, held=bool(view.held), at_work=view.at_work)
    if view.build is not None:
        lines.append(f"    index: {view.build}")
    if view.held:
        lines.append(f"  held back: {view.held}")
    lines += [f"  set: {one}" for one in view.settings[:3]]
    lines += [
        f"  waits for a lock: process {wait.pid} for {wait.seconds:.1f} s, behind {wait.blockers}"
        for wait in view.waits[:3]
    ]
    lines += [f"  error: {one}" for one in view.errors[-ERRORS:]]
    return [_fitted(line, width) for line in lines]


def _few(
    phases: tuple[tuple[str, int, int], ...],
) -> list[tuple[str, int, int]]:
    """The phases that are under way or next, where there are too many for a screen."""
    if len(phases) <= 10:
        return list(phases)
    first = next((n for n, (_, done, total) in enumerate(phases) if done < total), len(phases) - 1)
    start = min(max(first - 3, 0), len(phases) - 10)
    return list(phases[start : start + 10])


def _step(step: StepStanding, rate: WorkRate, *, held: bool, at_work: bool) -> list[str]:
    counted = f"{step.rows:,} rows"
    if step.total and step.rows <= step.total:
        counted = f"{step.rows:,} of about {step.total:,} rows"
    lines = [f"  step {step.name} ({step.kind}, {step.state}): {counted}"]
    if step.kind == "batch" and at_work:
        found, left = rate.rate(), rate.left(step)
        words = "measuring" if found is None else f"{found:,.0f} rows/s"
        if left is not None:
            words += f", about {time_left(left)} left" + (" without the pause" if held else "")
        lines.append(f"    {words}")
    return lines


def _fitted(line: str, width: int) -> str:
    """A line that a terminal shows as one; a name of the database's may hold anything."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in line)
    return clean if len(clean) <= width else clean[: max(width - 1, 0)] + "…"
