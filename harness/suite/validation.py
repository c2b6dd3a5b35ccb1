"""The source rows fit what the target demands, and a database that has begun is not passed."""

from __future__ import annotations

import pytest

from harness.check.preflight.run import DatabaseStanding
from harness.check.validate.run import Validation, validate
from harness.plan import Plan
from harness.report import evidence
from harness.runner import migrate, status

from .journey import impatient
from .killed import KillPlace, killed_at
from .support import SMALL, CloneFactory, TemplateFactory


def validated(dsn: str, plan: Plan) -> Validation:
    """What the validation says of a database."""
    found = status(dsn, plan)
    return validate(dsn, plan, DatabaseStanding(found.state, found.reason, found.run, found.step))


def test_the_rows_may_migrate(harness_plan: Plan, harness_source: str) -> None:
    found = validated(harness_source, harness_plan)
    evidence.keep("validate", found.document())
    assert found.verdict == "pass", found.findings
    assert [finding for finding in found.findings if finding.severity != "info"] == []


@pytest.mark.parametrize("said", ["partly migrated", "migrated already"])
def test_a_database_on_which_the_plan_has_begun_is_not_passed(
    said: str, harness_plan: Plan, harness_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_template(rows=SMALL))
    if said == "migrated already":
        migrate(dsn, harness_plan)
    else:
        _begin(dsn, impatient(harness_plan))
    found = validated(dsn, harness_plan)
    assert found.verdict != "pass"
    assert any(said in finding.message for finding in found.findings), found.findings


def _begin(dsn: str, plan: Plan) -> None:
    """Run the first step; of a plan that has no other, begin it and be killed."""
    if len(plan.steps) > 1:
        migrate(dsn, plan, until=plan.steps[0].id)
    else:
        killed_at("migrate", dsn, plan, KillPlace(("step_started",)))
