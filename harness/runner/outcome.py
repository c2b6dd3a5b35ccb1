"""What the runner tells: events while it works, an outcome at the end, a status on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Kinds: run_started, resumed, takeover, step_started, batch, step_done, retry, throttled,
    reconnecting, completed, nothing. `rows` counts the rows of the step so far.
    """

    kind: str
    step: str | None = None
    rows: int = 0
    message: str = ""


OnEvent = Callable[[Event], None]
Stop = Callable[[], bool]


def silent(_: Event) -> None:
    """Nobody listens."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    state: str
    resumed: bool
    steps_run: list[str]
    steps_skipped: list[str]
    rows: int
    seconds: float
    archived: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """Where a database stands: clean, partial, migrated, rolling-back, rolled-back, foreign."""

    state: str
    run: int | None = None
    direction: str | None = None
    step: str | None = None
    phases: dict[str, dict[str, int]] = field(default_factory=dict)
    reason: str | None = None
