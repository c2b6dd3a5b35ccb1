"""What a run under traffic shows: findings, steps, and why something is unknown.

Counts decide. Times decide only against the control of the same run, and only where the clients
sent in time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.check.history import HistoryResult
from harness.core.finding import Finding, Severity
from harness.core.sqlstate import FEATURE_NOT_SUPPORTED, NAME_OR_TYPE
from harness.document.base import Word
from harness.document.live import LatenciesDocument, LatencyDocument, LiveStepDocument
from harness.scenario.live.course import TrafficCourse
from harness.scenario.live.settings import LOADED, LiveSettings
from harness.traffic.history import Operation, StepWindow
from harness.traffic.latency import Latency
from harness.traffic.mix import TrafficMix
from harness.traffic.spans import Spans
from harness.traffic.victims import Victim, Witnesses, waited_by_step

TIMES: Final = 3.0  # how often the p99 of the control is borne
NOTICED: Final = 50.0  # milliseconds; a p99 below is nobody's trouble
ENOUGH: Final = 1000  # operations that a p99 needs
BUSY: Final = 10  # how often the bound is borne where the clients sent late themselves
CANNOT_TELL: Final = f"; the machine was busy, so less than {BUSY} times the bound says nothing"
SENT_LATE: Final = "the clients sent late by"


@dataclass(frozen=True)
class LiveEvidence:
    """Everything that was recorded: the main part of the operations, without the control's."""

    settings: LiveSettings
    mix: TrafficMix
    history: HistoryResult
    witnesses: Witnesses
    course: TrafficCourse
    control: Sequence[Operation]
    main: Sequence[Operation]
    latency: LatenciesDocument


def judge_live(evidence: LiveEvidence) -> tuple[list[Finding], list[str]]:
    """The findings, the worst first, and the reasons why something is unknown."""
    findings = [
        *evidence.history.findings,
        *_runs(evidence.course),
        *_waits(evidence),
        *_batches(evidence.witnesses.victims),
        *_refusals(evidence),
        *_times(evidence),
    ]
    unknowns = [
        *evidence.history.unknowns,
        *_unloaded(evidence),
        *_sent_late(evidence),
        *(f"the two witnesses differ: {said}" for said in evidence.witnesses.disagreements[:3]),
        *(
            f"the {kill.victim} was to be killed in {kill.direction} {kill.step}, and was not"
            for kill in evidence.course.kills
            if not kill.fired
        ),
    ]
    return sorted(findings, key=lambda finding: finding.severity != "critical"), unknowns


def is_busy(evidence: LiveEvidence) -> bool:
    """Whether times say nothing, of a run whose counts decide: its clients sent late."""
    return evidence.settings.counts_only and SENT_LATE in evidence.latency.why


def _sent_late(evidence: LiveEvidence) -> Iterator[str]:
    if SENT_LATE in evidence.latency.why and not evidence.settings.counts_only:
        yield evidence.latency.why


def word_of(findings: Sequence[Finding], unknowns: Sequence[str]) -> Word:
    """Fail for a critical finding, else unknown where something is, else pass."""
    if any(finding.severity == "critical" for finding in findings):
        return "fail"
    return "unknown" if unknowns else "pass"


def _runs(course: TrafficCourse) -> Iterator[Finding]:
    for run in course.runs:
        if run.error:
            yield Finding(
                "live.run_failed", "critical", run.direction,
                "a run under traffic did not come to its end",
                "try it without traffic: harness crash --points 1; then look for what clients hold",
                run.error,
            )  # fmt: skip


def _waits(evidence: LiveEvidence) -> Iterator[Finding]:
    patience = BUSY if is_busy(evidence) else 1
    for (direction, step), seconds in waited_by_step(evidence.witnesses.victims).items():
        bound = evidence.settings.bound(direction, step)
        severity: Severity = "critical" if seconds > patience * bound else "warning"
        if seconds <= bound:
            continue
        mine = [
            victim
            for victim in evidence.witnesses.victims
            if (victim.direction, victim.step) == (direction, step) and victim.by_runner
        ]
        worst = max(mine, key=lambda victim: victim.waited)
        yield Finding(
            "live.waited", severity, f"{direction} {step}",
            f"a client waited {1000 * seconds:.0f} ms for the locks of one step; the plan's bound"
            f" is {1000 * bound:.0f} ms, and {len(mine)} operations waited"
            + (CANNOT_TELL if is_busy(evidence) else ""),
            "take the locks late and in one place, and do the work outside of them: NOT VALID and"
            " VALIDATE, CONCURRENTLY, batches",
            f"{worst.operation!r} wanted {worst.lock}, held by {worst.blocker}"
            + (f", behind {worst.behind!r}" if worst.behind else ""),
        )  # fmt: skip


def _batches(victims: Sequence[Victim]) -> Iterator[Finding]:
    found: dict[tuple[str, str], list[Victim]] = {}
    for victim in victims:
        if victim.kind == "read" and victim.step_kind == "batch" and victim.by_runner:
            found.setdefault((victim.direction, victim.step), []).append(victim)
    for (direction, step), mine in found.items():
        worst = max(mine, key=lambda victim: victim.waited)
        yield Finding(
            "live.reader_behind_batch", "critical", f"{direction} {step}",
            f"{len(mine)} reads waited for a batch, the longest {1000 * worst.waited:.0f} ms",
            "a batch may lock its rows alone: no LOCK TABLE, no DDL, no stronger lock than ROW"
            " EXCLUSIVE",
            f"{worst.operation!r} wanted {worst.lock}, held by {worst.blocker}",
        )  # fmt: skip


def _refusals(evidence: LiveEvidence) -> Iterator[Finding]:
    """Operations that were refused while the migration was at work, and never before it."""
    before = {(one.name, one.sqlstate) for one in evidence.control if one.outcome == "refused"}
    found: dict[tuple[str, str], list[Operation]] = {}
    for one in evidence.main:
        if one.outcome == "refused" and (one.name, one.sqlstate) not in before:
            found.setdefault((one.name, one.sqlstate), []).append(one)
    windows = sorted(evidence.course.steps, key=lambda window: window.begun)
    begins = [window.begun for window in windows]
    for (name, state), refused in sorted(found.items()):
        gone = state.startswith(NAME_OR_TYPE) or state == FEATURE_NOT_SUPPORTED
        retried = state in evidence.mix.retried
        bearable = retried or (gone and not evidence.mix.promised)
        counted = Counter(_at(windows, begins, one.sent) for one in refused)
        steps = [step for step, _ in counted.most_common()]
        said = "a prepared statement failed" if state == FEATURE_NOT_SUPPORTED else "was refused"
        yield Finding(
            "live.prepared" if state == FEATURE_NOT_SUPPORTED else "live.refused",
            "warning" if bearable else "critical", steps[0],
            f"{name!r} {said} {len(refused)} times with SQLSTATE {state}",
            "keep what old clients name, with its type, until they are gone"
            if gone
            else "the project says that a client repeats it then"
            if retried
            else "look at what the step does meanwhile; a client was told no",
            f"in {', '.join(steps[:5])}" + (" and others" if len(steps) > 5 else ""),
        )  # fmt: skip


def _at(windows: Sequence[StepWindow], begins: Sequence[float], moment: float) -> str:
    """The step that began last before a moment, whose doing it is that something is refused."""
    place = bisect_right(begins, moment)
    if not place:
        return "before the first step"
    return f"{windows[place - 1].direction} {windows[place - 1].step}"


def _times(evidence: LiveEvidence) -> Iterator[Finding]:
    if evidence.latency.verdict != "fail":
        return
    yield Finding(
        "live.latency", "critical", "p99", evidence.latency.why,
        "smaller batches, a pause between them, or a throttle in [runner]",
    )  # fmt: skip


def compare_latencies(
    control: Latency, phases: Mapping[str, Latency], late: float
) -> LatenciesDocument:
    """Fail where the p99 during batches is more than three times the control's.

    Unknown where times say nothing: the clients sent late, or met too few batches.
    """
    verdict, why = _compared(control, phases, late)
    found = {name: latency_document(latency) for name, latency in phases.items()}
    return LatenciesDocument(
        verdict=verdict, why=why, control=latency_document(control), forward=found.get("forward"),
        rollback=found.get("rollback"), batches=found.get("batches"),
    )  # fmt: skip


def _compared(control: Latency, phases: Mapping[str, Latency], late: float) -> tuple[Word, str]:
    for name, latency in {"before": control, **phases}.items():
        if latency.lag_p99 > late:
            return "unknown", f"{name}: {SENT_LATE} {latency.lag_p99:g} ms (p99)"
    batches = phases.get("batches")
    if batches is None or min(batches.n, 4 * control.n) < ENOUGH:
        met = batches.n if batches else 0
        said = f"batches met {met} operations, {control.n} were before"
        return "unknown", f"too few operations for a p99: {said}"
    if batches.p99 <= max(NOTICED, TIMES * control.p99):
        return "pass", ""
    return "fail", (
        f"p99 {batches.p99:g} ms during batches (n = {batches.n}), {control.p99:g} ms before"
        f" (n = {control.n}); at most {TIMES:g} times is borne"
    )


def latency_document(latency: Latency) -> LatencyDocument:
    """The same, as the document has it."""
    return LatencyDocument(
        n=latency.n, p50=latency.p50, p99=latency.p99, longest=latency.longest,
        lag_p99=latency.lag_p99, rate=latency.rate, histogram=latency.histogram,
    )  # fmt: skip


def _unloaded(evidence: LiveEvidence) -> Iterator[str]:
    steps = [step for step in step_documents(evidence) if not step.loaded]
    if steps:
        least = min(steps, key=lambda step: step.operations)
        yield (
            f"{len(steps)} steps are not loaded, such as {least.direction} {least.step}, which met"
            f" {least.operations} operations of {LOADED}; give more --seconds, --reads or --writes"
        )
    done = {(step.direction, step.step) for step in evidence.course.steps}
    wanted = {
        (way, step.id) for way in ("forward", "rollback") for step in evidence.settings.plan.steps
    }
    if missing := sorted(wanted - done):
        way, step = missing[0]
        yield f"{len(missing)} steps were not met at all, such as {way} {step}"


def step_documents(evidence: LiveEvidence) -> list[LiveStepDocument]:
    """Each step in each direction, over all rounds."""
    waited = waited_by_step(evidence.witnesses.victims)
    victims = Counter((one.direction, one.step) for one in evidence.witnesses.victims)
    met, refused = _met(evidence)
    windows: dict[tuple[str, str], list[StepWindow]] = {}
    for window in evidence.course.steps:
        windows.setdefault((window.direction, window.step), []).append(window)
    return [
        LiveStepDocument(
            direction=step[0], step=step[1], kind=mine[0].kind,
            seconds=round(sum(window.done - window.begun for window in mine), 3),
            operations=met[step], loaded=met[step] >= LOADED * _rounds(mine),
            refused=refused.get(step, {}), victims=victims[step],
            waited_ms=round(1000 * waited.get(step, 0.0), 1),
            killed=any(window.killed for window in mine),
        )
        for step, mine in windows.items()
    ]  # fmt: skip


def _met(
    evidence: LiveEvidence,
) -> tuple[Counter[tuple[str, str]], dict[tuple[str, str], dict[str, int]]]:
    """How many operations each step met, and how many were refused there, by SQLSTATE."""
    windows = sorted(evidence.course.steps, key=lambda window: (window.begun, window.ended))
    spans = Spans.of((window.begun, window.ended) for window in windows)
    met: Counter[tuple[str, str]] = Counter()
    refused: dict[tuple[str, str], dict[str, int]] = {}
    for one in evidence.main:
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
