"""What a busy machine and a project's own word change in the judgement of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.check.history import HistoryResult
from harness.document.live import LatenciesDocument, LatencyDocument
from harness.scenario.live import LiveSettings
from harness.scenario.live.course import TrafficCourse
from harness.scenario.live.judge import SENT_LATE, LiveEvidence, judge_live
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


def waited(seconds: float) -> Witnesses:
    victim = Victim(
        client=1, operation="edit", kind="update", table="t", direction="forward", step="1/010",
        step_kind="transaction", waited=seconds, took=seconds, lock="ShareLock on t",
        blocker="harness runner", by_runner=True,
    )  # fmt: skip
    return Witnesses([victim])


def severities(evidence: LiveEvidence) -> list[tuple[str, str]]:
    findings, _ = judge_live(evidence)
    return [(one.id, one.severity) for one in findings]


@pytest.mark.parametrize(
    ("seconds", "latency", "severity"),
    [(0.6, IN_TIME, "critical"), (0.6, LATE, "warning"), (5.1, LATE, "critical")],
)
def test_a_busy_machine_bears_ten_times_the_bound(
    evidence: LiveEvidence, seconds: float, latency: LatenciesDocument, severity: str
) -> None:
    found = replace(evidence, witnesses=waited(seconds), latency=latency)
    assert severities(found) == [("live.waited", severity)]


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
