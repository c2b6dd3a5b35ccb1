"""What clients get done who send as soon as they are answered: before a migration, during, after.

The time before and the time after are the control: where their parts differ much from each other,
the machine was not steady, and nothing is known. Whatever runs takes a core and writes; where cores
are few, that alone costs the users a lot. So there is a second control, beside a session that
computes and commits and touches no table: a migration that takes no more than that one is not to
blame, and not acquitted either.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.document.base import Word
from harness.document.live import ThroughputDocument
from harness.scenario.live.course import TrafficCourse
from harness.traffic.history import Operation

LEAST: Final = 0.7  # of what was done without a migration
STEADY: Final = 0.7  # of the best part of the control, in its worst one
PARTS: Final = 4  # that each of the two controls is looked at in
ENOUGH: Final = 200  # operations that the control does in the time of a way that is judged
SHORT: Final = 0.2  # seconds; what a shorter step lets through is chance

Span = tuple[float, float]


@dataclass(frozen=True)
class SaturatedCourse:
    """A round at saturation: the spans of the controls, and what happened between.

    `beside` is the control beside a session that computes and commits.
    """

    before: Span
    beside: Span
    after: Span
    course: TrafficCourse


@dataclass(frozen=True)
class _Answers:
    """When operations were answered, in order."""

    moments: Sequence[float]

    def count(self, span: Span) -> int:
        return bisect_left(self.moments, span[1]) - bisect_left(self.moments, span[0])

    def rate(self, *spans: Span) -> float:
        seconds = _seconds(spans)
        return sum(map(self.count, spans)) / seconds if seconds > 0 else 0.0


def _seconds(spans: Iterable[Span]) -> float:
    return sum(end - begin for begin, end in spans)


def compare_throughput(
    operations: Sequence[Operation], saturated: SaturatedCourse
) -> ThroughputDocument:
    """Fail where less than 70% was done during a run; unknown where that says nothing.

    A way that is over before the control would have done many is not judged.
    `slowest` is the first step from whose beginning to the next one's less than that was done.
    """
    done = [one.answered for one in operations if one.outcome == "acknowledged" and one.answered]
    answers = _Answers(sorted(done))
    control = answers.rate(saturated.before, saturated.after)
    ways = _ways(saturated.course)
    rates = {way: answers.rate(*spans) for way, spans in ways.items()}
    met = {way: sum(map(answers.count, spans)) for way, spans in ways.items()}
    expected = {way: control * _seconds(spans) for way, spans in ways.items()}
    judged = [rates[way] for way in rates if expected[way] >= ENOUGH]
    share = min(judged) / control if judged else None
    verdict, why = _word(answers, saturated, expected, share)
    return ThroughputDocument(
        verdict=verdict, why=why,
        before=round(answers.rate(saturated.before), 1),
        beside=round(answers.rate(saturated.beside), 1),
        after=round(answers.rate(saturated.after), 1),
        forward=_rounded(rates, "forward"), rollback=_rounded(rates, "rollback"),
        share=None if share is None else round(share, 3), n=sum(met.values()),
        slowest=_slowest(answers, saturated.course, LEAST * control) if verdict == "fail" else "",
    )  # fmt: skip


def _ways(course: TrafficCourse) -> Mapping[str, list[Span]]:
    """When runs were at work, by direction."""
    ways: dict[str, list[Span]] = {}
    for run in course.runs:
        ways.setdefault(run.direction, []).append((run.begun, run.ended))
    return ways


def _word(
    answers: _Answers,
    saturated: SaturatedCourse,
    expected: Mapping[str, float],
    share: float | None,
) -> tuple[Word, str]:
    if saturated.course.failed:
        return "unknown", f"the round did not come to its end: {saturated.course.failed}"
    parts = [answers.rate(part) for part in _parts(saturated.before) + _parts(saturated.after)]
    if share is None:
        most = max(expected.values(), default=0.0)
        return "unknown", (
            f"a run took no longer than {most:.0f} operations take, {ENOUGH} are needed: give more"
            " --rows"
        )
    if min(parts) < STEADY * max(parts):
        return "unknown", (
            f"without a migration {min(parts):.0f} to {max(parts):.0f} operations a second were"
            " done, which is not steady: run it on a quiet machine"
        )
    if share >= LEAST:
        return "pass", ""
    beside = answers.rate(saturated.beside) / answers.rate(saturated.before, saturated.after)
    if share >= LEAST * beside:
        return "unknown", (
            f"{100 * share:.0f}% were done during a run, and {100 * beside:.0f}% beside one session"
            " that computes and commits and touches no table: the machine is too small to tell"
        )
    return "fail", (
        f"{100 * share:.0f}% of the operations that are done without a migration were done during"
        f" a run; at least {100 * LEAST:.0f}% is asked for"
    )


def _parts(span: Span) -> list[Span]:
    begin, width = span[0], (span[1] - span[0]) / PARTS
    return [(begin + place * width, begin + (place + 1) * width) for place in range(PARTS)]


def _rounded(rates: Mapping[str, float], way: str) -> float | None:
    return round(rates[way], 1) if way in rates else None


def _slowest(answers: _Answers, course: TrafficCourse, bound: float) -> str:
    for step in sorted(course.steps, key=lambda one: one.begun):
        span = (step.begun, step.ended)
        if span[1] - span[0] >= SHORT and answers.rate(span) < bound:
            return f"{step.direction} {step.step}"
    return "all steps together"
