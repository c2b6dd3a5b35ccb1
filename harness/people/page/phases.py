"""The phases of a plan, and how far a run is in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.people.page.reading import RunReading
from harness.plan import Plan

PhaseName = Literal["waiting", "under way", "done", "undone"]


@dataclass(frozen=True)
class PhaseProgress:
    """A phase: its title, how far it is, and how many of its steps are done."""

    title: str
    state: PhaseName
    done: int
    total: int


def phases_of(plan: Plan | None, run: RunReading | None) -> tuple[PhaseProgress, ...]:
    """The phases in the plan's order; without a run all of them wait."""
    if plan is None:
        return ()
    shares = {step.id: step.share for step in run.steps} if run else {}
    undoing = run is not None and run.direction == "rollback"
    over = run is not None and run.completed is not None
    found = []
    for phase in plan.phases:
        steps = [shares.get(step.id, 0.0) for step in phase.steps]
        done = len(steps) if over else sum(share >= 1.0 for share in steps)
        state: PhaseName = "waiting"
        if done == len(steps):
            state = "undone" if undoing else "done"
        elif any(steps):
            state = "under way"
        found.append(PhaseProgress(phase.title, state, done, len(steps)))
    return _with_current(found) if run is not None and not over and not undoing else tuple(found)


def _with_current(phases: list[PhaseProgress]) -> tuple[PhaseProgress, ...]:
    """The first phase that is not done is under way, though none of its steps may be yet."""
    for place, one in enumerate(phases):
        if one.state != "done":
            phases[place] = PhaseProgress(one.title, "under way", one.done, one.total)
            break
    return tuple(phases)
