"""What is known of a run under traffic when it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.check.history import HistoryResult
from harness.document.live import LatenciesDocument, ThroughputDocument
from harness.scenario.live.course import HeldStep, TrafficCourse
from harness.scenario.live.settings import LiveSettings
from harness.traffic.history import Operation
from harness.traffic.mix import TrafficMix
from harness.traffic.victims import Witnesses


@dataclass(frozen=True)
class LiveEvidence:
    """Everything that was recorded: the main part of the operations, without the control's.

    `new` are those of new clients. `held` are steps that went on for so long that inserts were
    held, `unchased` the same ones in a round without any inserts while they are at work.
    """

    settings: LiveSettings
    mix: TrafficMix
    history: HistoryResult
    witnesses: Witnesses
    course: TrafficCourse
    control: Sequence[Operation]
    main: Sequence[Operation]
    latency: LatenciesDocument
    new: Sequence[Operation] = ()
    throughput: ThroughputDocument | None = None
    held: Sequence[HeldStep] = ()
    unchased: Sequence[HeldStep] = ()

    @property
    def stall(self) -> float:
        """The longest that an answer took in the control, in seconds."""
        took = (one.answered - one.sent for one in self.control if one.answered is not None)
        return max(took, default=0.0)
