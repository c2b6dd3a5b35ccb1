"""Every step runs, step by step as at once, and none of them loses a row or a value."""

from __future__ import annotations

from harness.check.plan_parts import has_checks_of_rows
from harness.plan import Plan
from harness.report import evidence
from harness.runner import migrate, status

from . import loss
from .journey import differences, impatient, state
from .support import SMALL, CloneFactory, TemplateFactory, connected


def test_every_step_runs_and_a_second_run_does_nothing(
    harness_plan: Plan, harness_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_template())
    ids = [step.id for step in harness_plan.steps]
    outcome = migrate(dsn, harness_plan)
    assert outcome.steps_run == ids
    assert status(dsn, harness_plan).state == "migrated"
    once = state(dsn)
    assert migrate(dsn, harness_plan).steps_run == []
    assert differences(once, state(dsn)) == []
    evidence.count("forward", "steps run", outcome.steps_run, ids)


def test_step_by_step_is_the_same_as_at_once_and_loses_nothing(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_template(rows=SMALL))
    trusted = has_checks_of_rows(harness_plan)  # then verify compares what the rows have become
    found: list[str] = []
    with connected(dsn) as conn:
        tables = loss.held(conn)
        for step in harness_plan.steps:
            migrate(dsn, impatient(harness_plan), until=step.id)
            before, tables = tables, loss.held(conn)
            if not trusted and step.irreversible is None:
                found += [f"{step.id}: {line}" for line in loss.losses(before, tables)]
    assert found == []
    whole = harness_clone(harness_migrated_template(rows=SMALL))
    assert differences(state(whole), state(dsn)) == []
    ids = [step.id for step in harness_plan.steps]
    evidence.count("forward", "steps run one by one", ids, ids)
