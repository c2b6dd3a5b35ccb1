"""What users do while a migration runs, and two at once after it: nothing is lost.

These are all the stages that defects are shown to, by hand and by machine: what the judge sees in a
plan, the gate sees.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from harness.core.direction import StepDirection
from harness.plan import Plan
from harness.report import evidence
from harness.scenario.mutate.judging import Case, hurried
from harness.suite.stage_order import name_of

from . import row_locks, waiting
from .judge import STAGES, judge

if TYPE_CHECKING:
    from harness.server import Server

OF_A_STEP = {"locks", "row_locks", "late"}
THERE, BACK = (
    [name for stage in stages if (name := name_of(stage)) not in OF_A_STEP]
    for stages in (STAGES.forward, STAGES.rollback)
)


def found(plan: Plan, server: Server, stage: str, step: str, direction: StepDirection) -> list[str]:
    """What a stage has against the plan, looking at a step."""
    case = Case(server.dsn(), hurried(plan), hurried(plan), step, direction)
    with closing(judge(case, (stage,))) as remarks:  # type: ignore[type-var]
        return [f"{name}: {line}" for name, findings in remarks for line in findings]


@pytest.mark.parametrize("stage", THERE)
def test_users_on_the_way_there_and_after_it(
    stage: str, harness_plan: Plan, harness_server: Server
) -> None:
    assert found(harness_plan, harness_server, stage, harness_plan.steps[0].id, "forward") == []
    evidence.count("meanwhile", "things users do on the way there and after", [stage], THERE)


@pytest.mark.parametrize("stage", BACK)
def test_users_on_the_way_back(stage: str, harness_plan: Plan, harness_server: Server) -> None:
    assert found(harness_plan, harness_server, stage, harness_plan.steps[0].id, "rollback") == []
    evidence.count("meanwhile", "things users do on the way back", [stage], BACK)


@pytest.mark.parametrize("direction", ["forward", "rollback"])
def test_no_step_holds_a_table_while_it_waits_for_one_that_users_write_before(
    direction: StepDirection, harness_plan: Plan, harness_server: Server
) -> None:
    lines = [
        f"{step.id}: {line}"
        for step in harness_plan.steps
        for line in found(harness_plan, harness_server, "locks", step.id, direction)
    ]
    assert lines == []
    steps = [step.id for step in harness_plan.steps]
    evidence.count("meanwhile", f"steps watched for deadlocks, {direction}", steps, steps)


@pytest.mark.parametrize("step", row_locks.HELD)
def test_a_batch_locks_the_rows_it_reads_and_no_other(
    step: str, harness_plan: Plan, harness_server: Server
) -> None:
    assert found(harness_plan, harness_server, "row_locks", step, "forward") == []
    evidence.count("meanwhile", "batches whose row locks were seen", [step], row_locks.HELD)


@pytest.mark.parametrize("step", waiting.LATE)
def test_what_is_committed_while_the_way_back_waits_is_archived(
    step: str, harness_plan: Plan, harness_server: Server
) -> None:
    assert found(harness_plan, harness_server, "late", step, "rollback") == []
    evidence.count("meanwhile", "late commits archived", [step], waiting.LATE)
