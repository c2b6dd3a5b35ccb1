"""Runners that stand still at an event of theirs, so that the world can change under them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.core.poll import wait_until
from harness.crash.model import Point
from harness.fault.process import Ending, Job, JobProcess, Tell

LIMIT: Final = 60.0  # seconds that a struck runner may take


@dataclass(frozen=True)
class Halt:
    """A moment at which a runner stands still: its `number`-th event of this kind and step."""

    kind: str
    step: str | None = None
    number: int = 1

    def fits(self, event: Any) -> bool:
        """Whether an event is one of those that are counted."""
        return event.kind == self.kind and self.step in (None, event.step)


def moment(point: Point) -> Halt:
    """When to halt for a point: as its step begins, or after the step's first batch."""
    return Halt("batch" if point.boundary == "batch1" else "step_started", point.step)


def halting(work: Job, halts: Sequence[Halt]) -> Job:
    """A job that sends itself SIGSTOP right after it told an event at which it shall halt."""

    def halted_job(tell: Tell) -> Any:
        seen: Counter[Halt] = Counter()

        def listen(event: Any) -> None:
            tell(event)
            counted = [halt for halt in halts if halt.fits(event)]
            seen.update(counted)
            if any(seen[halt] == halt.number for halt in counted):
                os.kill(os.getpid(), signal.SIGSTOP)

        return work(listen)

    return halted_job


def halted(process: JobProcess, halt: Halt) -> Ending | None:
    """Wait until a runner stands still at a moment; its ending when it never came there."""
    count = 0

    def wanted(event: Any) -> bool:
        nonlocal count
        count += halt.fits(event)
        return count == halt.number

    try:
        process.wait_told(wanted, LIMIT)
    except TimeoutError:
        return process.wait(1)
    wait_until(process.is_stopped, 10, "the runner to stand still", pause=0.001)
    return None


def gone_on(process: JobProcess) -> Ending:
    """Let a runner that stands still go on to its end."""
    process.signal(signal.SIGCONT)
    return process.wait(LIMIT)


def said(ending: Ending) -> str:
    """An ending in words."""
    words = f"status {ending.status}"
    return f"{words}: {ending.error}" if ending.error else words


def never(halt: Halt, ending: Ending) -> str:
    """That a runner never came to a moment, in words."""
    return f"the runner never came to {halt.kind}: it ended with {said(ending)}"
