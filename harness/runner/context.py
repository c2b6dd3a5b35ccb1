"""What a runner knows of itself, whatever becomes of its connections."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from harness.observe.load_signals import LoadSignal
from harness.observe.signals import all_signals
from harness.plan import Plan, RunnerSettings
from harness.runner.control_row import Control
from harness.runner.edits import Acceptance, listed
from harness.runner.ledger import Checkpoint
from harness.runner.lock import Backend
from harness.runner.outcome import Event, OnEvent, Stop, never, silent


@dataclass
class RunContext:
    """What outlives a lost connection: who listens, what was done, which backends were ours."""

    plan: Plan
    on_event: OnEvent = silent
    stop: Stop = never
    lockers: set[Backend] = field(default_factory=set)
    workers: set[Backend] = field(default_factory=set)
    connected: bool = False
    claimed: tuple[int, int] | None = None
    begun: dict[str, int] = field(default_factory=dict)
    steps_run: list[str] = field(default_factory=list)
    steps_skipped: list[str] = field(default_factory=list)
    rows: int = 0
    resumed: bool | None = None
    progress: int = 0
    accepted: list[dict[str, str | None]] = field(default_factory=list)
    signals: tuple[LoadSignal, ...] = field(default_factory=all_signals)
    control: Control = field(default_factory=Control)
    # Where several sessions work side by side: who waits for a throttle goes in alone.
    gate: contextlib.AbstractContextManager[object] = field(default_factory=contextlib.nullcontext)
    _telling: threading.RLock = field(default_factory=threading.RLock)
    _paused: int = 0

    @property
    def settings(self) -> RunnerSettings:
        """The plan's [runner], with what an operator has set since."""
        return replace(self.plan.runner, **self.control.settings)

    def accept(self, acceptance: Acceptance) -> None:
        """Remember the edits that the run goes on with; say so when a reason met none."""
        if acceptance.edits:
            self.accepted += acceptance.document()
            self.tell("edits_accepted", message=listed(acceptance.edits))
        elif acceptance.reason and not self.accepted:
            self.tell("edits_none", message="--accept-edit: no file changed since the run began")

    def tell(
        self,
        kind: str,
        step: str | None = None,
        rows: int = 0,
        message: str = "",
        reach: tuple[int, int] = (0, 0),
    ) -> None:
        """Deliver an event; `reach` is how much of how much is done."""
        with self._telling:
            self.on_event(Event(kind, step, rows, message, *reach))

    @contextlib.contextmanager
    def pausing(self, step: str, words: str) -> Iterator[None]:
        """Deliver that the run pauses and that it goes on, once, however many sessions pause."""
        with self._telling:
            self._paused += 1
            if self._paused == 1:
                self.tell("paused", step, message=words)
        try:
            yield
        except BaseException:
            with self._telling:
                self._paused -= 1
            raise
        with self._telling:
            self._paused -= 1
            if not self._paused:
                self.tell("pause_ended", step, message="the run goes on")

    def tell_run(
        self, kind: str, number: int, steps: Iterable[str], done: Mapping[str, Checkpoint]
    ) -> None:
        """Deliver that a run begins or goes on, with how many of its steps its ledger has done."""
        asked = list(steps)
        count = sum(step in done and done[step].state == "done" for step in asked)
        self.tell(kind, message=f"run {number}", reach=(count, len(asked)))
