"""The timeline of a run: each step a bar as long as it took, with its locks and rows a second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.report.shape import Document, document, number, objects, shown, text

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
    seconds: float | None
    rewrites: bool
    scans: bool

    @property
    def rank(self) -> int:
        """How bad it is for users, the worst is 0."""
        if not self.stops:
            return NOTHING
        return WORST.index(self.stops) if self.stops in WORST else WEAKER


@dataclass(frozen=True)
class Bar:
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
class Run:
    """The steps of one direction, in the order in which they ran."""

    direction: str
    title: str
    seconds: float
    rows: int
    wal_bytes: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Timeline:
    """Both directions of a dry run, what it says of the real one, and how far that was off."""

    runs: tuple[Run, ...]
    estimate_seconds: float | None
    took_seconds: float | None
    error: float | None


def read(found: Document) -> Timeline:
    """The timeline of a dry run's document; MisshapenError says what it lacks."""
    steps = objects(found, "steps")
    ways: dict[str, list[Document]] = {}
    for step in steps:
        ways.setdefault(text(step, "direction"), []).append(step)
    afterwards = document(found.get("estimate") or {}, "estimate")
    return Timeline(
        runs=tuple(_run(way, steps) for way, steps in ways.items()),
        estimate_seconds=_known(found, "estimate_seconds"),
        took_seconds=_known(afterwards, "seconds"),
        error=_known(afterwards, "error"),
    )


def _known(found: Document, key: str) -> float | None:
    return None if found.get(key) is None else number(found, key)


def _run(direction: str, steps: list[Document]) -> Run:
    begins = _begins(steps)
    ends = [begin + number(step, "seconds") for begin, step in zip(begins, steps, strict=True)]
    length = max(ends) - begins[0]
    bars = tuple(
        _bar(step, begin - begins[0], length) for step, begin in zip(steps, begins, strict=True)
    )
    return Run(
        direction,
        TITLES.get(direction, direction),
        length,
        sum(bar.rows for bar in bars),
        sum(bar.wal_bytes for bar in bars),
        bars,
    )


def _begins(steps: list[Document]) -> list[float]:
    """When each step began; one after the other where nobody wrote it down."""
    begins, now = [], 0.0
    for step in steps:
        now = number(step, "began") if "began" in step else now
        begins.append(now)
        now += number(step, "seconds")
    return begins


def _bar(step: Document, begun: float, length: float) -> Bar:
    seconds = number(step, "seconds")
    share = 100 / length if length > 0 else 0.0
    return Bar(
        step=text(step, "id"),
        begin=round(begun * share, 2),
        width=round(seconds * share, 2),
        seconds=seconds,
        rows=int(number(step, "rows")),
        wal_bytes=int(number(step, "wal_bytes")),
        temp_bytes=int(number(step, "temp_bytes")),
        locks=_locks(objects(step, "locks") if "locks" in step else []),
        linted=tuple(_linted(item) for item in step.get("squawk") or []),
    )


def _locks(found: Iterable[Document]) -> tuple[Lock, ...]:
    made = (
        Lock(
            relation=text(lock, "relation"),
            mode=text(lock, "mode"),
            stops=str(lock.get("stops") or ""),
            seconds=None if lock.get("seconds") is None else number(lock, "seconds"),
            rewrites=bool(lock.get("rewrites")),
            scans=bool(lock.get("scans")),
        )
        for lock in found
    )
    return tuple(sorted(made, key=lambda lock: (lock.rank, -(lock.seconds or 0), lock.relation)))


def _linted(item: object) -> str:
    """A finding of squawk in one line, whatever it has."""
    if not isinstance(item, dict):
        return shown(item)
    named = [item.get(key) for key in ("rule", "rule_name", "message", "happened")]
    return ": ".join(shown(part) for part in named if part)
