"""What a strike came to, and the row of the coverage ledger that it makes."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from harness.core.errors import HarnessError
from harness.crash.model import CoverageRow, Point, Verdict
from harness.crash.tally import point_done
from harness.fault.process import Ending

NOT_FIRED = "the fault did not fire"


@dataclass(frozen=True)
class FaultOutcome:
    """What a strike came to: it fired, and without reasons it is a pass.

    `endings` are those of the runs that were struck and of their rivals, where somebody asks for
    them. `judged` is the verdict on the state that was left, where it is kept apart: reasons that
    stand beside one that is unknown leave the point unknown.
    """

    fired: bool
    evidence: str
    reasons: tuple[str, ...] = ()
    state: str = ""
    endings: tuple[Ending, ...] = ()
    judged: Verdict = "pass"

    @property
    def refused(self) -> bool:
        """Whether there were runs, and none of them came to its end."""
        return bool(self.endings) and not any(ending.done for ending in self.endings)

    @property
    def verdict(self) -> Verdict:
        """A fault that did not fire proves nothing, whatever became of the run."""
        if not self.fired or (self.reasons and self.judged == "pass"):
            return "fail"
        return self.judged

    def row(self, point: Point, seconds: float = 0.0) -> CoverageRow:
        """The row of a point."""
        reasons = self.reasons if self.fired else (NOT_FIRED, *self.reasons)
        return CoverageRow(
            point,
            self.fired,
            self.verdict,
            state=self.state,
            reason="; ".join(reasons),
            evidence=self.evidence,
            seconds=seconds,
        )


def row_of(point: Point, strike: Callable[[], FaultOutcome]) -> CoverageRow:
    """Strike, and make the row of it; what a strike raises leaves the point unknown."""
    began = time.monotonic()
    try:
        row = strike().row(point, time.monotonic() - began)
    except Exception as error:  # one point's trouble is not the next one's
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}{_place_of(error)}"
        row = CoverageRow(point, False, "unknown", reason=reason, seconds=time.monotonic() - began)
    point_done()
    return row


def _place_of(error: Exception) -> str:
    """Where an error of ours was raised: a bug is looked for, an expected error is not."""
    if isinstance(error, HarnessError | TimeoutError | psycopg.Error):
        return ""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f" ({Path(frame.filename).name}:{frame.lineno})"
