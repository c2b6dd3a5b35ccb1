"""Signals that the plan holds batches back by and this role cannot see: no run would begin."""

from __future__ import annotations

from typing import Any

import psycopg

from harness.check.preflight.rules import finding
from harness.core.finding import Finding
from harness.observe.load_signals import CommitLatency, WalRate, asked, read_signal
from harness.observe.signals import all_signals
from harness.plan import Plan


def blind_signals(conn: psycopg.Connection[Any], plan: Plan) -> tuple[Finding, ...]:
    """A finding for each signal that is asked for and not seen, with what makes it seen.

    Asked in the caller's transaction, which may be read-only.
    """
    batches = any(step.forward.kind == "batch" and step.forward.statements for step in plan.steps)
    if not batches:
        return ()
    found = []
    for signal, limit in asked(plan.runner, all_signals()):
        if isinstance(signal, CommitLatency | WalRate):
            continue  # one that writes, and one that compares two looks: anybody sees them
        with conn.transaction(force_rollback=True):
            reading = read_signal(signal, conn)  # what fails here must not fail the caller's
        if reading.blind:
            found.append(
                finding(
                    "blind_signal",
                    "critical",
                    f"{reading.blind}, and the plan holds batches back by it ({signal.key})",
                    reading.cure,
                    [f"{signal.key} = {limit:g}"],
                )
            )
    return tuple(found)
