"""After the migration: every row, rule and right compared; a database that is none is no pass."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from harness.check.verify.run import Verification, verify
from harness.plan import Plan
from harness.report import evidence
from harness.runner import status

from .support import SMALL

Clone = Callable[[str], str]
Templates = Callable[..., str]


def judged(dsn: str, plan: Plan, source: str | None = None, seed: int = 1) -> Verification:
    return verify(dsn, plan, state=status(dsn, plan).state, source=source, seed=seed)


def test_the_migrated_database_holds_every_row_of_its_source(
    harness_plan: Plan, harness_source: str, harness_target: str, harness_seed: int
) -> None:
    found = judged(harness_target, harness_plan, harness_source, harness_seed)
    evidence.keep("verify", found.document())
    assert found.verdict == "pass", found.findings
    assert len(found.samples) == harness_plan.verify.samples
    assert all(sample.right for sample in found.samples)


def test_without_a_source_its_rows_are_unknown_and_nothing_is_wrong(
    harness_plan: Plan, harness_clone: Clone, harness_migrated_template: Templates
) -> None:
    found = judged(harness_clone(harness_migrated_template(rows=SMALL)), harness_plan)
    assert found.verdict == "unknown"
    assert [one for one in found.findings if one.severity == "critical"] == []


def test_a_database_that_is_not_migrated_never_passes(
    harness_plan: Plan,
    harness_clone: Clone,
    harness_template: Templates,
    harness_migrated_template: Templates,
) -> None:
    for template in (
        harness_template(rows=SMALL),
        harness_migrated_template(rows=SMALL, until=harness_plan.steps[2].id),
    ):
        found = judged(harness_clone(template), harness_plan)
        assert found.verdict != "pass"
        assert found.findings


def test_one_changed_value_is_found_and_its_row_named(
    harness_plan: Plan,
    harness_clone: Clone,
    harness_template: Templates,
    harness_migrated_template: Templates,
) -> None:
    before, dsn = (
        harness_clone(harness_template(rows=SMALL)),
        harness_clone(harness_migrated_template(rows=SMALL)),
    )
    with psycopg.connect(dsn) as conn:
        query = "update public.contacts set title = 'changed' where id = 7"
        assert conn.execute(query).rowcount == 1
    found = judged(dsn, harness_plan, before)
    assert found.verdict == "fail"
    assert any("7" in f"{finding.message} {finding.evidence}" for finding in found.findings)
