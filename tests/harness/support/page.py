"""What the tests of the page share: a window, a plan, and evidence of every state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from harness.core.direction import Direction
from harness.people.page.reading import LedgerReading, RunReading, StepReading
from harness.people.page.state import PageEvidence, StateName
from harness.people.page.verified import VerifiedRun
from harness.people.window import ChecklistItem, MaintenanceWindow, UserChange

ZONE = ZoneInfo("Europe/Zurich")
START = datetime(2031, 3, 15, 21, tzinfo=UTC)
END = START + timedelta(minutes=90)
WINDOW = MaintenanceWindow(
    path=Path("window.toml"),
    id="harvest",
    revision=1,
    title="Accounts get a new home",
    zone=ZONE,
    start=START.astimezone(ZONE),
    end=END.astimezone(ZONE),
    support="support@example.com",
    changes=(
        UserChange("names", "Accounts are called customers", "Menus and links say customers."),
        UserChange("search", "Search finds notes", link="https://example.com/guide"),
    ),
    checklist=(
        ChecklistItem("desk", "The front desk has been told"),
        ChecklistItem("rows", "Every row has been compared", "verify"),
    ),
)
STEPS = ("1.1/010_column", "1.1/020_fill", "1.2/010_index")


def run_of(
    *shares: float,
    direction: Direction = "forward",
    completed: datetime | None = None,
    started: datetime = START,
) -> RunReading:
    """A run of the small plan whose steps are done to these shares."""
    given = [*shares, *[0.0] * (len(STEPS) - len(shares))]
    steps = tuple(
        StepReading(step, share, started + timedelta(minutes=10 * number) if share else None)
        for number, (step, share) in enumerate(zip(STEPS, given, strict=True), 1)
    )
    return RunReading("a" * 32, direction, started, completed, steps)


def evidence_of(
    run: RunReading | None, now: datetime, window: MaintenanceWindow = WINDOW
) -> PageEvidence:
    """What is known when a run was looked at a moment ago."""
    reading = LedgerReading(now - timedelta(seconds=1), run is not None, run)
    return PageEvidence(window, reading=reading)


def in_state(name: StateName) -> tuple[PageEvidence, datetime]:
    """PageEvidence of a state, and the moment at which it is so."""
    half = run_of(1.0, 0.5)
    over = run_of(1.0, 1.0, 1.0, completed=START + timedelta(minutes=40))
    back = run_of(1.0, direction="rollback", completed=START + timedelta(minutes=50))
    at = {
        "scheduled": (None, START - timedelta(hours=26)),
        "soon": (None, START - timedelta(minutes=9)),
        "running": (half, START + timedelta(minutes=20)),
        "late": (half, END + timedelta(minutes=12)),
        "done": (over, START + timedelta(minutes=45)),
        "rolled_back": (back, START + timedelta(minutes=55)),
        "cancelled": (None, START - timedelta(hours=3)),
    }
    run, now = at[name]
    window = WINDOW
    if name == "cancelled":
        window = replace(WINDOW, cancelled=True, revision=2, note="A bank holiday; we come back.")
    evidence = evidence_of(run, now, window)
    if name == "done":
        verified = VerifiedRun("pass", over.key, START + timedelta(minutes=44))
        evidence = replace(evidence, verified=verified)
    return evidence, now
