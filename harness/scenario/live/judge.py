"""What a run under traffic shows: findings, steps, and why something is unknown.

Counts decide. Times decide only against the control of the same run, and only where the clients
sent in time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf

from harness.core.finding import Finding
from harness.core.sqlstate import FEATURE_NOT_SUPPORTED, NAME_OR_TYPE
from harness.document.base import Word
from harness.scenario.live.chase import find_chases, find_untold_chases
from harness.scenario.live.course import TrafficCourse
from harness.scenario.live.evidence import LiveEvidence
from harness.scenario.live.settings import LOADED, LiveSettings
from harness.scenario.live.steps import step_documents
from harness.scenario.live.times import SENT_LATE
from harness.traffic.history import Operation, StepWindow
from harness.traffic.spans import Spans
from harness.traffic.victims import Victim, Witnesses, waited_by_step


def judge_live(evidence: LiveEvidence) -> tuple[list[Finding], list[str]]:
    """The findings, the worst first, and the reasons why something is unknown."""
    findings = [
        *evidence.history.findings,
        *_runs(evidence.course),
        *_waits(evidence),
        *_batches(evidence.witnesses.victims),
        *_refusals(evidence),
        *_refusals_of_new_clients(evidence),
        *find_chases(evidence),
        *_times(evidence),
        *_throughput(evidence),
    ]
    unknowns = [
        *evidence.history.unknowns,
        *_unloaded(evidence),
        *_sent_late(evidence),
        *_stalled(evidence),
        *find_untold_chases(evidence),
        *(f"the two witnesses differ: {said}" for said in evidence.witnesses.disagreements[:3]),
        *(
            f"the {kill.victim} was to be killed in {kill.direction} {kill.step}, and was not"
            for kill in evidence.course.kills
            if not kill.fired
        ),
    ]
    return sorted(findings, key=lambda finding: finding.severity != "critical"), unknowns


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


def exceeds_bound(settings: LiveSettings, witnesses: Witnesses) -> bool:
    """Whether a client waited for the locks of one step for longer than it may."""
    waited = waited_by_step(witnesses.victims)
    return any(seconds > settings.bound(*step) for step, seconds in waited.items())


def _waits(evidence: LiveEvidence) -> Iterator[Finding]:
    undisturbed = waited_by_step(evidence.witnesses.victims, undisturbed=True)
    for (direction, step), seconds in waited_by_step(evidence.witnesses.victims).items():
        bound = evidence.settings.bound(direction, step)
        if seconds <= bound:
            continue
        held = undisturbed[direction, step]
        decides = held > bound and evidence.stall <= bound
        mine = [
            victim
            for victim in evidence.witnesses.victims
            if (victim.direction, victim.step) == (direction, step) and victim.by_runner
        ]
        worst = max(mine, key=lambda victim: victim.waited)
        yield Finding(
            "live.waited", "critical" if decides else "warning", f"{direction} {step}",
            f"a client waited {1000 * seconds:.0f} ms for the locks of one step; the plan's bound"
            f" is {1000 * bound:.0f} ms, and {len(mine)} operations waited"
            + ("" if held > bound else f"; it is {1000 * held:.0f} ms without the time for which"
               " whoever held them had no core"),
            "take the locks late and in one place, and do the work outside of them: NOT VALID and"
            " VALIDATE, CONCURRENTLY, batches",
            f"{worst.operation!r} wanted {worst.lock}, held by {worst.blocker}"
            + (f", behind {worst.behind!r}" if worst.behind else ""),
        )  # fmt: skip


def _stalled(evidence: LiveEvidence) -> Iterator[str]:
    """Why a wait over the bound says nothing: the control had such a one, without a migration."""
    waited = waited_by_step(evidence.witnesses.victims, undisturbed=True)
    for (direction, step), seconds in waited.items():
        bound = evidence.settings.bound(direction, step)
        if seconds > bound and evidence.stall > bound:
            yield (
                f"a client waited {1000 * seconds:.0f} ms for the locks of {direction} {step}, and"
                f" without a migration one waited {1000 * evidence.stall:.0f} ms for an answer: the"
                " machine is too busy to tell; run it again on a quiet one"
            )


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


def _throughput(evidence: LiveEvidence) -> Iterator[Finding]:
    found = evidence.throughput
    if found is not None and found.verdict == "fail":
        yield Finding(
            "live.throughput", "critical", found.slowest, found.why,
            "look at what the step adds to each write (triggers, indexes) and at what it does"
            " beside the users: smaller batches, a header duty",
            f"{found.before:g} operations a second before, {found.forward or 0:g} forward,"
            f" {found.rollback or 0:g} on the way back, {found.after:g} after",
        )  # fmt: skip


def _refusals_of_new_clients(evidence: LiveEvidence) -> Iterator[Finding]:
    """New clients that were refused before the way back began; later it takes their schema away."""
    backs = [run.begun for run in evidence.course.runs if run.direction == "rollback"]
    forwards = [run.ended for run in evidence.course.runs if run.direction == "forward"]
    migrated = Spans.of(zip(forwards, [*backs, inf], strict=False))
    found: dict[tuple[str, str], int] = Counter(
        (one.name, one.sqlstate)
        for one in evidence.new
        if one.outcome == "refused" and one.answered and migrated.holds(one.answered)
    )
    for (name, state), times in sorted(found.items()):
        yield Finding(
            "live.refused", "warning" if state in evidence.mix.retried else "critical", "migrated",
            f"{name!r} of new clients was refused {times} times with SQLSTATE {state}",
            "the migrated schema must serve what new clients send as soon as it is there",
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
