"""After the migration: every row, rule and right compared; a database that is none is no pass."""

from __future__ import annotations

from harness.check.plan_parts import has_checks_of_rows, with_absences
from harness.check.verify.run import Verification, verify
from harness.plan import Plan
from harness.report import evidence
from harness.runner import status

from .support import SMALL, CloneFactory, TemplateFactory


def verified(dsn: str, plan: Plan, source: str | None = None, seed: int = 1) -> Verification:
    """What verify says of a database; parts that the plan does not have are not applicable."""
    state = status(dsn, plan).state
    return verify(dsn, with_absences(plan), state=state, source=source, seed=seed)


def test_the_migrated_database_holds_every_row_of_its_source(
    harness_plan: Plan, harness_source: str, harness_target: str, harness_seed: int
) -> None:
    found = verified(harness_target, harness_plan, harness_source, harness_seed)
    evidence.keep("verify", found.document())
    assert found.verdict == "pass", found.findings
    assert all(sample.right for sample in found.samples)
    rows = sum(one.expected or 0 for one in found.compared if one.rows.samples)
    assert len(found.samples) == min(harness_plan.verify.samples, rows)


def test_without_a_source_its_rows_are_unknown_and_nothing_is_wrong(
    harness_plan: Plan, harness_clone: CloneFactory, harness_migrated_template: TemplateFactory
) -> None:
    found = verified(harness_clone(harness_migrated_template(rows=SMALL)), harness_plan)
    assert found.verdict == ("unknown" if has_checks_of_rows(harness_plan) else found.verdict)
    assert [one for one in found.findings if one.severity == "critical"] == []


def test_a_database_that_is_not_migrated_never_passes(
    harness_plan: Plan,
    harness_clone: CloneFactory,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
) -> None:
    templates = [harness_template(rows=SMALL)]
    if len(harness_plan.steps) > 1:
        first = harness_plan.steps[0].id
        templates.append(harness_migrated_template(rows=SMALL, until=first))
    for template in templates:
        found = verified(harness_clone(template), harness_plan)
        assert found.verdict != "pass"
        assert found.findings
