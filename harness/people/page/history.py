"""What has happened, as a visitor reads it: in the order of time, the newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from harness.people.page.checklist import Tick
from harness.people.page.reading import RunReading
from harness.people.page.verified import VerifiedRun
from harness.people.window import MaintenanceWindow
from harness.plan import Plan


@dataclass(frozen=True)
class HistoryEntry:
    """Something that happened, and when."""

    at: datetime
    text: str


def history_of(
    window: MaintenanceWindow,
    plan: Plan | None,
    run: RunReading | None,
    verified: VerifiedRun | None,
    ticks: Iterable[Tick],
) -> tuple[HistoryEntry, ...]:
    """The entries, the newest first."""
    entries = [*_of_ticks(window, ticks)]
    if run is not None:
        entries += _of_run(plan, run)
        if verified is not None and verified.passes(run.key):
            entries.append(HistoryEntry(verified.at, "Checked: everything is as it should be"))
        elif verified is not None and verified.fails(run.key):
            entries.append(HistoryEntry(verified.at, "The check of the result did not pass"))
    # sorted and then turned round: of two things at one moment the later of the list is the newer
    return tuple(sorted(entries, key=lambda one: one.at))[::-1]


def _of_run(plan: Plan | None, run: RunReading) -> Iterator[HistoryEntry]:
    back = run.direction == "rollback"
    yield HistoryEntry(run.started, "The way back began" if back else "The maintenance began")
    at = {step.id: step.at for step in run.steps if step.done and step.at}
    for phase in plan.phases if plan is not None and not back else ():
        times = [at[step.id] for step in phase.steps if step.id in at]
        if times and len(times) == len(phase.steps):
            yield HistoryEntry(max(times), f"Done: {phase.title}")
    if run.completed is not None:
        said = "Everything is as it was before" if back else "All steps are done"
        yield HistoryEntry(run.completed, said)


def _of_ticks(window: MaintenanceWindow, ticks: Iterable[Tick]) -> Iterator[HistoryEntry]:
    texts = {item.id: item.text for item in window.checklist}
    for tick in ticks:
        if tick.item in texts:
            yield HistoryEntry(tick.at, f"Checked off: {texts[tick.item]}")
