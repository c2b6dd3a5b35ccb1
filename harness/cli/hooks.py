"""Deliver what a finished run owes; a hook that fails is a finding, and is owed still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.plan import Plan

if TYPE_CHECKING:
    from harness.document.run import HookDocument


@dataclass(frozen=True)
class HookOutcome:
    """What became of a hook: delivered or failed, and why."""

    name: str
    state: str
    reason: str | None = None

    def document(self) -> HookDocument:
        """As JSON has it."""
        from harness.document.run import HookDocument

        return HookDocument(name=self.name, state=self.state, reason=self.reason)

    def line(self) -> str:
        """As a person reads it."""
        if self.reason is None:
            return f"  hook {self.name}: delivered"
        return f"  hook {self.name}: failed: {self.reason}; running the same again delivers it"


def deliver_owed(dsn: str, plan: Plan) -> list[HookOutcome]:
    """Deliver each hook that the database's last finished run owes, and write down the outcome."""
    from harness.runner.owed import read_owed, record_hook
    from harness.safety.hooks import DeliveryFailed, deliver

    owed = read_owed(dsn, plan)
    found: list[HookOutcome] = []
    for hook in owed.hooks if owed is not None else ():
        failed: str | None = None
        try:
            deliver(dsn, hook)
        except DeliveryFailed as error:
            failed = str(error)
        assert owed is not None, "a hook is owed by a run"
        unwritten = record_hook(dsn, owed.run, hook, failed)
        reason = failed or (f"delivered, but not recorded: {unwritten}" if unwritten else None)
        found.append(HookOutcome(hook.name, "delivered" if failed is None else "failed", reason))
    return found
