"""What a busy machine and a project's own word change in the judgement of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.check.history import HistoryResult
from harness.document.live import LatenciesDocument, LatencyDocument
from harness.scenario.live import LiveSettings
from harness.scenario.live.course import HeldStep, RunEnd, TrafficCourse
from harness.scenario.live.evidence import LiveEvidence
from harness.scenario.live.judge import judge_live
from harness.scenario.live.times import SENT_LATE
from harness.traffic.history import Operation
from harness.traffic.mix import TrafficMix
from harness.traffic.victims import Victim, Witnesses
from tests.harness.support.runner import SmallPlan

LATENCY = LatencyDocument(n=1, p50=1, p99=1, longest=1, lag_p99=1, rate=1)
LATE = LatenciesDocument(verdict="unknown", why=f"{SENT_LATE} 9 ms", control=LATENCY)
IN_TIME = LatenciesDocument(verdict="unknown", why="too few operations", control=LATENCY)
REFUSED = Operation(
    client=1, name="edit", kind="update", table="t", key="1", planned=0, sent=0, answered=0,
    outcome="refused", sqlstate="40001",
)  # fmt: skip


@pytest.fixture
def evidence(tmp_path: Path) -> LiveEvidence:
    return LiveEvidence(
        LiveSettings(SmallPlan(tmp_path).load(), counts_only=True), TrafficMix((), {}),
        HistoryResult([], []), Witnesses(), TrafficCourse(), (), (), IN_TIME,
    )  # fmt: skip


def waited(seconds: float, starved: float = 0.0) -> Witnesses:
    victim = Victim(
        client=1, operation="edit", kind="update", table="t", direction="forward", step="1/010",
        step_kind="transaction", waited=seconds, took=seconds, lock="ShareLock on t",
        blocker="harness runner", by_runner=True, starved=starved,
    )  # fmt: skip
    return Witnesses([victim])


def severities(evidence: LiveEvidence) -> list[tuple[str, str]]:
    findings, _ = judge_live(evidence)
    return [(one.id, one.severity) for one in findings]


@pytest.mark.parametrize(
    ("seconds", "starved", "stall", "severity", "unknown"),
    [
        (0.6, 0.0, 0.1, "critical", False),
        (0.6, 0.0, 0.7, "warning", True),
        (0.4, 0.0, 0.7, None, False),
        (0.9, 0.3, 0.1, "critical", False),
        (0.9, 0.5, 0.1, "warning", False),
        (0.9, 0.5, 0.7, "warning", False),
    ],
)
def test_a_wait_over_the_bound_decides_unless_the_control_has_such_a_one(
    evidence: LiveEvidence,
    seconds: float,
    starved: float,
    stall: float,
    severity: str | None,
    unknown: bool,
) -> None:
    """Time for which the holder had no core is the machine's; the kernel counts it."""
    control = [msgspec.structs.replace(REFUSED, outcome="acknowledged", answered=stall)]
    found = replace(evidence, witnesses=waited(seconds, starved), latency=LATE, control=control)
    assert severities(found) == ([("live.waited", severity)] if severity else [])
    said = [why for why in judge_live(found)[1] if "too busy to tell" in why]
    assert len(said) == unknown


@pytest.mark.parametrize(
    ("alone", "findings", "unknown"),
    [
        ([HeldStep("forward", "1/010", 0.0, 0.5)], ["live.chases_inserts"], False),
        ([HeldStep("forward", "1/010", 0.0, 3.9)], [], False),
        ([], [], True),
    ],
)
def test_a_step_chases_that_ends_only_without_inserts(
    evidence: LiveEvidence, alone: list[HeldStep], findings: list[str], unknown: bool
) -> None:
    """It is asked again without any: a long step that ended by chance is as long then."""
    held = [HeldStep("forward", "1/010", 4.0, 0.5), HeldStep("forward", "1/020", 4.0, 3.0)]
    found = replace(evidence, held=held, unchased=alone)
    assert [one for one, _ in severities(found)] == findings
    assert any("chases inserts" in why for why in judge_live(found)[1]) == unknown


@pytest.mark.parametrize(
    ("answered", "severity"), [(0.5, None), (1.5, "critical"), (2.5, None), (3.5, "critical")]
)
def test_new_clients_may_be_refused_once_the_way_back_has_begun(
    evidence: LiveEvidence, answered: float, severity: str | None
) -> None:
    runs = [RunEnd("forward", 0, 1), RunEnd("rollback", 2, 2.8), RunEnd("forward", 2.8, 3)]
    new = [msgspec.structs.replace(REFUSED, answered=answered)]
    found = replace(evidence, new=new, course=TrafficCourse(runs=runs))
    assert severities(found) == ([("live.refused", severity)] if severity else [])


def test_at_length_the_bound_is_the_bound_and_late_clients_are_unknown(
    evidence: LiveEvidence,
) -> None:
    settings = replace(evidence.settings, counts_only=False)
    found = replace(evidence, settings=settings, witnesses=waited(0.6), latency=LATE)
    findings, unknowns = judge_live(found)
    assert [one.severity for one in findings] == ["critical"]
    assert LATE.why in unknowns
    assert LATE.why not in judge_live(replace(found, settings=evidence.settings))[1]


@pytest.mark.parametrize(("retried", "severity"), [((), "critical"), (("40001",), "warning")])
def test_a_refusal_at_which_clients_repeat_is_a_warning(
    evidence: LiveEvidence, retried: tuple[str, ...], severity: str
) -> None:
    mix = TrafficMix((), {}, retried=retried)
    assert severities(replace(evidence, mix=mix, main=[REFUSED])) == [("live.refused", severity)]
