"""A run under traffic over time: what operations took in each part of a second, and the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from harness.document.live import LiveMomentDocument, LiveSeriesDocument, LiveSpanDocument
from harness.traffic.history import Operation, StepWindow

MOMENTS: Final = 240  # as many as a picture can show


def make_series(operations: Sequence[Operation], steps: Sequence[StepWindow]) -> LiveSeriesDocument:
    """The operations by when they were due, and the steps by when they were at work."""
    if not operations:
        return LiveSeriesDocument(width=1.0, moments=[], spans=[])
    begin = min(one.planned for one in operations)
    end = max(one.planned for one in operations)
    width = max(0.1, round((end - begin) / MOMENTS, 3))
    met: dict[int, list[Operation]] = {}
    for one in operations:
        met.setdefault(int((one.planned - begin) / width), []).append(one)
    return LiveSeriesDocument(
        width=width,
        moments=[_moment(round(place * width, 3), met[place]) for place in sorted(met)],
        spans=[
            LiveSpanDocument(
                direction=step.direction, step=step.step, kind=step.kind, killed=step.killed,
                begun=round(step.begun - begin, 3), done=round(step.done - begin, 3),
            )
            for step in sorted(steps, key=lambda step: step.begun)
        ],
    )  # fmt: skip


def _moment(at: float, operations: Sequence[Operation]) -> LiveMomentDocument:
    took = sorted(one.answered - one.planned for one in operations if one.answered is not None)
    return LiveMomentDocument(
        at=at,
        answered=len(took),
        refused=sum(one.outcome == "refused" for one in operations),
        p50=round(1000 * took[len(took) // 2], 2) if took else 0.0,
        longest=round(1000 * took[-1], 2) if took else 0.0,
    )
