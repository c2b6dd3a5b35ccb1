"""The timeline of a run: each step a bar as long as it took, with its locks and rows a second."""

from __future__ import annotations

from dataclasses import dataclass

from harness.document.dry_run import DryRunDocument, LockDocument, StepDocument

TITLES = {"forward": "Forward", "rollback": "Rollback"}
WORST = ("reads and writes", "writes")  # what a lock may stop, the worst first; then single rows
WEAKER = len(WORST)
NOTHING = WEAKER + 1


@dataclass(frozen=True)
class Lock:
    """A lock that a step held: on what, how strong, how long, and what it did meanwhile."""

    relation: str
    mode: str
    stops: str
    seconds: float
    rewrites: bool
    scans: bool

    @property
    def rank(self) -> int:
        """How bad it is for users, the worst is 0."""
        if not self.stops:
            return NOTHING
        return WORST.index(self.stops) if self.stops in WORST else WEAKER


@dataclass(frozen=True)
class StepBar:
    """One step: where its bar begins and how wide it is, in percent of the run, and its figures."""

    step: str
    begin: float
    width: float
    seconds: float
    rows: int
    wal_bytes: int
    temp_bytes: int
    locks: tuple[Lock, ...]
    linted: tuple[str, ...]

    @property
    def rate(self) -> float | None:
        """Rows a second; None where no rows were counted."""
        return self.rows / self.seconds if self.rows and self.seconds > 0 else None

    @property
    def worst(self) -> Lock | None:
        """The lock that users notice most, if any."""
        return next((lock for lock in self.locks if lock.stops), None)

    @property
    def rewrites(self) -> bool:
        """Whether a table is written anew under a lock."""
        return any(lock.rewrites for lock in self.locks)


@dataclass(frozen=True)
class RunTimeline:
    """The steps of one direction, in the order in which they ran."""

    direction: str
    title: str
    seconds: float
    rows: int
    wal_bytes: int
    bars: tuple[StepBar, ...]


@dataclass(frozen=True)
class Timeline:
    """Both directions of a dry run, what it says of the real one, and how far that was off."""

    runs: tuple[RunTimeline, ...]
    estimate_seconds: float | None
    took_seconds: float | None
    error: float | None


def draw_timeline(document: DryRunDocument) -> Timeline:
    """The timeline of a dry run."""
    ways: dict[str, list[StepDocument]] = {}
    for step in document.steps:
        ways.setdefault(step.direction, []).append(step)
    after = document.estimate or None
    return Timeline(
        runs=tuple(_run(way, steps) for way, steps in ways.items()),
        estimate_seconds=document.estimate_seconds,
        took_seconds=after.seconds if after else None,
        error=after.error if after else None,
    )


def _run(direction: str, steps: list[StepDocument]) -> RunTimeline:
    begun = steps[0].began
    length = max(step.began + step.seconds for step in steps) - begun
    bars = tuple(_bar(step, step.began - begun, length) for step in steps)
    return RunTimeline(
        direction,
        TITLES.get(direction, direction),
        length,
        sum(bar.rows for bar in bars),
        sum(bar.wal_bytes for bar in bars),
        bars,
    )


def _bar(step: StepDocument, begun: float, length: float) -> StepBar:
    share = 100 / length if length > 0 else 0.0
    return StepBar(
        step=step.id,
        begin=round(begun * share, 2),
        width=round(step.seconds * share, 2),
        seconds=step.seconds,
        rows=step.rows,
        wal_bytes=step.wal_bytes,
        temp_bytes=step.temp_bytes,
        locks=tuple(sorted(map(_lock, step.locks), key=_lock_order)),
        linted=tuple(f"{lint.rule}: {lint.message}: {lint.happened}" for lint in step.squawk),
    )


def _lock(lock: LockDocument) -> Lock:
    return Lock(
        relation=lock.relation,
        mode=lock.mode,
        stops=lock.stops,
        seconds=lock.seconds,
        rewrites=lock.rewrites,
        scans=bool(lock.scans),
    )


def _lock_order(lock: Lock) -> tuple[float, float, str]:
    """The one that users notice most comes first."""
    return lock.rank, -lock.seconds, lock.relation
