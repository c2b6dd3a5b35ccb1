"""What a step that is declared irreversible leaves behind, and what only others can have left.

The database is looked at before and after such a step, both ways. What differs around it and did
not differ within it is its own; whatever else differs in the end is some other step's fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.database import fingerprint
from harness.runner.outcome import Event, OnEvent
from harness.scenario.dry_run.model import LeftBehind

if TYPE_CHECKING:
    from harness.database.fingerprint import Fingerprint
    from harness.plan import Plan

LOOKS = 4  # started and done, forward and back


class Declared:
    """Receives the runner's events, and passes them on; `spent` is how long looking took."""

    def __init__(self, plan: Plan, look: Callable[[], Fingerprint], also: OnEvent) -> None:
        self.spent = 0.0
        self._steps = {step.id: step for step in plan.irreversible}
        self._look, self._also = look, also
        self._seen: dict[str, list[Fingerprint]] = {}

    def receive(self, event: Event) -> None:
        """Look before an irreversible step is begun and after it is done, so outside its time."""
        concerns = event.step in self._steps
        if concerns and event.kind == "step_started":
            self._take(event.step or "")
        self._also(event)
        if concerns and event.kind == "step_done":
            self._take(event.step or "")

    def _take(self, step: str) -> None:
        began = time.monotonic()
        self._seen.setdefault(step, []).append(self._look())
        self.spent += time.monotonic() - began

    def left(self) -> tuple[LeftBehind, ...]:
        """Of every irreversible step that was done and undone, what it left."""
        return tuple(
            LeftBehind(
                step.id, step.irreversible or "", step.rollback.stays, _own(*self._seen[step.id])
            )
            for step in self._steps.values()
            if len(self._seen.get(step.id, ())) == LOOKS
        )


def _own(
    before: Fingerprint, done: Fingerprint, later: Fingerprint, undone: Fingerprint
) -> tuple[str, ...]:
    others = {str(one) for one in fingerprint.compare(done, later)}
    around = (str(one) for one in fingerprint.compare(before, undone))
    return tuple(one for one in around if one not in others)
