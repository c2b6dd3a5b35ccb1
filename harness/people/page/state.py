"""What the page says, from window, reading, verdict, ticks and clock alone: a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from harness.people.page.checklist import Tick
from harness.people.page.history import HistoryEntry, history_of
from harness.people.page.phases import PhaseProgress, phases_of
from harness.people.page.progress import HighWater, expected_end, percent_done
from harness.people.page.reading import LedgerReading, RunReading
from harness.people.page.verified import VerifiedRun
from harness.people.window import MaintenanceWindow, UserChange
from harness.plan import Plan

StateName = Literal["scheduled", "soon", "running", "late", "done", "rolled_back", "cancelled"]
STATES: Final[tuple[StateName, ...]] = (
    "scheduled", "soon", "running", "late", "done", "rolled_back", "cancelled",
)  # fmt: skip
SOON: Final = timedelta(minutes=30)
STALE: Final = timedelta(seconds=5)
"""A reading that is older has missed more than two looks: the page says so."""


@dataclass(frozen=True)
class CheckedItem:
    """An item of the checklist, who ticked it and when; `by` is empty while nobody has."""

    id: str
    text: str
    machine: bool
    by: str = ""
    at: datetime | None = None

    @property
    def ticked(self) -> bool:
        """Whether it is ticked."""
        return self.at is not None


@dataclass(frozen=True)
class PageEvidence:
    """Everything that a page is made of, but for the clock.

    `connected`: whether somebody looks at a database at all.
    """

    window: MaintenanceWindow
    plan: Plan | None = None
    reading: LedgerReading | None = None
    verified: VerifiedRun | None = None
    ticks: Mapping[str, Tick] = field(default_factory=dict)
    connected: bool = True


@dataclass(frozen=True)
class PageState:
    """All that a visitor is told. Times are UTC; `percent` is None where no run is under way.

    `undoing`: what was run is being taken back, and `percent` is how much of that is done.
    """

    name: StateName
    now: datetime
    window: MaintenanceWindow
    percent: int | None
    undoing: bool
    expected_end: datetime | None
    begun: datetime | None
    ended: datetime | None
    phases: tuple[PhaseProgress, ...]
    checklist: tuple[CheckedItem, ...]
    history: tuple[HistoryEntry, ...]
    age: timedelta | None
    connected: bool
    checking: bool
    doubted: bool

    @property
    def changes(self) -> tuple[UserChange, ...]:
        """What is other for users."""
        return self.window.changes

    @property
    def stale(self) -> bool:
        """Whether what is known of the run is old, or nothing is known though it should be."""
        return self.connected and (self.age is None or self.age > STALE)


def page_state(evidence: PageEvidence, now: datetime, marks: HighWater | None = None) -> PageState:
    """What the page says at a moment. `marks` keeps a percentage from falling between two."""
    window, reading = evidence.window, evidence.reading
    run = _run_of(window, reading)
    verdict = evidence.verified
    verified = bool(run and verdict and verdict.passes(run.key))
    name = _name(evidence, run, now, verified=verified)
    percent = None
    if run is not None:
        undone = run.direction == "rollback" and run.completed is not None
        found = 100 if undone else percent_done(run, verified=verified)
        percent = (marks or HighWater()).raise_to(run.key, found)
    finished = run is not None and run.completed is not None
    return PageState(
        name=name,
        now=now.astimezone(UTC),
        window=window,
        percent=percent,
        undoing=run is not None and run.direction == "rollback",
        expected_end=_expected(reading, run, now),
        begun=run.started if run else None,
        ended=run.completed if run else None,
        phases=phases_of(evidence.plan, run),
        checklist=_checklist(evidence, verified=verified),
        history=history_of(window, evidence.plan, run, verdict, evidence.ticks.values()),
        age=None if reading is None else max(now.astimezone(UTC) - reading.at, timedelta()),
        connected=evidence.connected,
        checking=finished and name in ("running", "late"),
        doubted=bool(run and verdict and verdict.fails(run.key)),
    )


def _run_of(window: MaintenanceWindow, reading: LedgerReading | None) -> RunReading | None:
    """The run that this window is about; what was taken back before a moved window is history."""
    run = reading.run if reading else None
    if run is None or run.completed is None or run.direction == "forward":
        return run
    moved = window.revision > 1 and run.completed < window.start_utc
    return None if moved else run


def _name(
    evidence: PageEvidence, run: RunReading | None, now: datetime, *, verified: bool
) -> StateName:
    window = evidence.window
    if run is not None:
        if run.completed is not None and run.direction == "rollback":
            return "rolled_back"
        if verified and run.completed is not None:
            return "done"
        return "late" if now > window.end_utc else "running"
    if window.cancelled:
        return "cancelled"
    if now < window.start_utc:
        return "soon" if window.start_utc - now <= SOON else "scheduled"
    if evidence.reading is None and now <= window.end_utc:
        return "running"  # as planned: nobody who could know otherwise has looked
    return "late"


def _expected(
    reading: LedgerReading | None, run: RunReading | None, now: datetime
) -> datetime | None:
    """When it will end, where that is known and has not passed."""
    if reading is None or run is None:
        return None
    found = expected_end(reading)
    return found if found is not None and found > now else None


def _checklist(evidence: PageEvidence, *, verified: bool) -> tuple[CheckedItem, ...]:
    found = []
    for item in evidence.window.checklist:
        machine = item.by == "verify"
        if machine:
            at = evidence.verified.at if verified and evidence.verified else None
            by = "harness verify" if at else ""
        else:
            tick = evidence.ticks.get(item.id)
            at, by = (tick.at, tick.by) if tick else (None, "")
        found.append(CheckedItem(item.id, item.text, machine, by, at))
    return tuple(found)
