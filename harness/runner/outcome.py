"""What the runner tells: events while it works, an outcome at the end, a status on request."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field

from harness.plan import Plan


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Kinds: run_started, resumed, takeover, step_started, measured, batch, step_done, retry,
    throttled, throttle_ended, long_use, long_use_ended, locks_unseen, paused, pause_ended,
    reconnecting, session_kept, alone, fewer_workers, completed, nothing.
    `rows` counts the rows that the step changed so far. `done` of about `total` are steps where a
    run begins or is resumed, and the rows that ranges went over in a batch step; a total of 0 is
    not known.
    """

    kind: str
    step: str | None = None
    rows: int = 0
    message: str = ""
    done: int = 0
    total: int = 0


OnEvent = Callable[[Event], None]
Stop = Callable[[], bool]


def silent(_: Event) -> None:
    """Nobody listens."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    `accepted` are the edits that it went on with; `irreversible` the steps, run or undone, whose
    way back leaves something behind.
    """

    state: str
    resumed: bool
    steps_run: list[str]
    steps_skipped: list[str]
    rows: int
    seconds: float
    archived: dict[str, int] = field(default_factory=dict)
    accepted: list[dict[str, str | None]] = field(default_factory=list)
    irreversible: list[dict[str, str | None]] = field(default_factory=list)


def irreversible(plan: Plan, steps: Container[str]) -> list[dict[str, str | None]]:
    """Those of the steps that are declared irreversible, with the reason and what stays."""
    return [
        {"step": step.id, "reason": step.irreversible, "stays": step.rollback.stays}
        for step in plan.irreversible
        if step.id in steps
    ]


@dataclass(frozen=True)
class Status:
    """Where a database stands: clean, partial, migrated, rolling-back, rolled-back, foreign.

    `error` is what the step in progress failed with, `next` the command that goes on, `edits` the
    edits that were accepted, `irreversible` the steps in place that cannot be undone exactly.
    """

    state: str
    run: int | None = None
    direction: str | None = None
    step: str | None = None
    phases: dict[str, dict[str, int]] = field(default_factory=dict)
    reason: str | None = None
    error: str | None = None
    next: str | None = None
    edits: list[dict[str, str | None]] = field(default_factory=list)
    irreversible: list[dict[str, str | None]] = field(default_factory=list)
