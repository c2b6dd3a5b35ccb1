"""What each step of a run under traffic met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.document.live import LiveStepDocument
from harness.scenario.live.evidence import LiveEvidence
from harness.scenario.live.settings import LOADED
from harness.traffic.history import Operation, StepWindow
from harness.traffic.spans import Spans
from harness.traffic.victims import waited_by_step


def step_documents(evidence: LiveEvidence) -> list[LiveStepDocument]:
    """Each step in each direction, over all rounds."""
    waited = waited_by_step(evidence.witnesses.victims)
    victims = Counter((one.direction, one.step) for one in evidence.witnesses.victims)
    met, refused = _met(evidence, evidence.main)
    _, new = _met(evidence, evidence.new)
    windows: dict[tuple[str, str], list[StepWindow]] = {}
    for window in evidence.course.steps:
        windows.setdefault((window.direction, window.step), []).append(window)
    return [
        LiveStepDocument(
            direction=step[0], step=step[1], kind=mine[0].kind,
            seconds=round(sum(window.done - window.begun for window in mine), 3),
            operations=met[step], loaded=met[step] >= LOADED * _rounds(mine),
            refused=refused.get(step, {}), refused_new=new.get(step, {}), victims=victims[step],
            waited_ms=round(1000 * waited.get(step, 0.0), 1),
            killed=any(window.killed for window in mine),
        )
        for step, mine in windows.items()
    ]  # fmt: skip


def _met(
    evidence: LiveEvidence, operations: Sequence[Operation]
) -> tuple[Counter[tuple[str, str]], dict[tuple[str, str], dict[str, int]]]:
    """How many operations each step met, and how many were refused there, by SQLSTATE."""
    windows = sorted(evidence.course.steps, key=lambda window: (window.begun, window.ended))
    spans = Spans.of((window.begun, window.ended) for window in windows)
    met: Counter[tuple[str, str]] = Counter()
    refused: dict[tuple[str, str], dict[str, int]] = {}
    for one in operations:
        ended = one.sent if one.answered is None else one.answered
        places = spans.meeting(one.planned, ended)
        steps = {(windows[at].direction, windows[at].step) for at in places}
        met.update(steps)
        if one.outcome == "refused":
            for step in steps:
                counts = refused.setdefault(step, {})
                counts[one.sqlstate] = counts.get(one.sqlstate, 0) + 1
    return met, refused


def _rounds(windows: Sequence[StepWindow]) -> int:
    return max(1, sum(not window.killed for window in windows))
