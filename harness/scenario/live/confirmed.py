"""A run under traffic whose clocks are asked twice: a busy machine is no fault of the migration.

What is counted stands at once: writes, and waits for locks by the server's log. What a clock says,
and what is unknown, stands when a second run, as long as the first, finds it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from harness.core.finding import Finding
from harness.document.live import LiveDocument
from harness.scenario.live.run import run_live
from harness.scenario.live.settings import LiveSettings

BY_THE_CLOCK: Final = frozenset({"live.latency", "live.throughput"})
ONCE: Final = "live.once"

Run = Callable[[LiveSettings], LiveDocument]


def run_confirmed(settings: LiveSettings, run: Run = run_live) -> LiveDocument:
    """The run, or the second one where only clocks speak against the first, or nothing is known.

    What only the first one found stands in the second as a warning.
    """
    first = run(settings)
    if first.verdict == "pass" or any(map(_is_counted, first.findings)):
        return first
    second = run(settings)
    again = {(one.id, one.where) for one in second.findings}
    gone = [one for one in first.findings if (one.id, one.where) not in again]
    findings = [*second.findings, *(_once(one.where, f"{one.id}: {one.message}") for one in gone)]
    if first.verdict == "unknown" and second.verdict != "unknown":
        findings += [_once("the run", f"unknown: {why}") for why in first.unknowns]
    return msgspec.structs.replace(second, findings=findings)


def _is_counted(finding: Finding) -> bool:
    return finding.severity == "critical" and finding.id not in BY_THE_CLOCK


def _once(where: str, said: str) -> Finding:
    return Finding(
        ONCE, "warning", where, f"one of two runs had: {said}",
        "the other run did not have it, so the machine may have been busy; harness live runs it"
        " again at length",
    )  # fmt: skip
