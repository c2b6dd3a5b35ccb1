"""Deliver what a run owes; a hook that fails is a finding, and is owed still."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError

if TYPE_CHECKING:
    from harness.document.run import HookDocument
    from harness.plan import Plan
    from harness.runner import Event


@dataclass(frozen=True)
class HookOutcome:
    """What became of a hook: delivered or failed, and why."""

    name: str
    state: str
    occasion: str
    reason: str | None = None

    def document(self) -> HookDocument:
        """As JSON has it."""
        from harness.document.run import HookDocument

        return HookDocument(
            name=self.name, state=self.state, occasion=self.occasion, reason=self.reason
        )

    def line(self) -> str:
        """As a person reads it."""
        if self.reason is None:
            return f"  hook {self.name}: delivered"
        return f"  hook {self.name}: failed: {self.reason}; running the same again delivers it"


def deliver_owed(dsn: str, plan: Plan) -> list[HookOutcome]:
    """Deliver each hook that the database's last run owes, and write down the outcome."""
    from harness.runner.owed import read_owed, record_hook
    from harness.safety.hooks import DeliveryFailed, deliver

    owed = read_owed(dsn, plan)
    found: list[HookOutcome] = []
    for one in owed.hooks if owed is not None else ():
        failed: str | None = None
        try:
            deliver(dsn, one.hook)
        except DeliveryFailed as error:
            failed = str(error)
        assert owed is not None, "a hook is owed by a run"
        unwritten = record_hook(dsn, owed.run, one, failed)
        reason = failed or (f"delivered, but not recorded: {unwritten}" if unwritten else None)
        state = "delivered" if failed is None else "failed"
        found.append(HookOutcome(one.hook.name, state, one.occasion, reason))
    return found


class PhaseHooks:
    """Delivers after a phase what is owed for it, while the run goes on; `told` is what became."""

    def __init__(self, dsn: str, plan: Plan, on_event: Callable[[Event], None]) -> None:
        self._dsn, self._plan, self._on_event = dsn, plan, on_event
        asked = {occasion for hook in plan.hooks for occasion in hook.on}
        self._lasts = {phase.steps[-1].id for phase in plan.phases if phase.id in asked}
        self._told: dict[tuple[str, str], HookOutcome] = {}

    def __call__(self, event: Event) -> None:
        """Take an event of the runner: a step that was the last of its phase is an occasion."""
        self._on_event(event)
        if event.kind == "step_done" and event.step in self._lasts:
            with contextlib.suppress(HarnessError):  # what is owed now is owed at the end
                self._take(deliver_owed(self._dsn, self._plan))

    def finish(self) -> list[HookOutcome]:
        """Deliver what is owed still; every hook's last outcome."""
        self._take(deliver_owed(self._dsn, self._plan))
        return list(self._told.values())

    def _take(self, outcomes: list[HookOutcome]) -> None:
        for one in outcomes:
            self._told[one.name, one.occasion] = one
