"""After the migration: every row, rule and right compared; a database that is none is no pass."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from harness.check.verify import Verification, verify
from harness.plan import Plan
from harness.report import evidence
from harness.runner import status

from .support import SMALL

Clone = Callable[[str], str]
Templates = Callable[..., str]


def judged(dsn: str, plan: Plan, source: str | None = None, seed: int = 1) -> Verification:
    return verify(dsn, plan, state=status(dsn, plan).state, source=source, seed=seed)


def test_the_migrated_database_holds_every_row_of_its_source(
    plan: Plan, source: str, target: str, seed: int
) -> None:
    found = judged(target, plan, source, seed)
    evidence.keep("verify", found.document())
    assert found.verdict == "pass", found.findings
    assert len(found.samples) == plan.verify.samples
    assert all(sample.right for sample in found.samples)


def test_without_a_source_its_rows_are_unknown_and_nothing_is_wrong(
    plan: Plan, clone: Clone, migrated: Templates
) -> None:
    found = judged(clone(migrated(rows=SMALL)), plan)
    assert found.verdict == "unknown"
    assert [one for one in found.findings if one.severity == "critical"] == []


def test_a_database_that_is_not_migrated_never_passes(
    plan: Plan, clone: Clone, seeded: Templates, migrated: Templates
) -> None:
    for template in (seeded(rows=SMALL), migrated(rows=SMALL, until=plan.steps[2].id)):
        found = judged(clone(template), plan)
        assert found.verdict != "pass"
        assert found.findings


def test_one_changed_value_is_found_and_its_row_named(
    plan: Plan, clone: Clone, seeded: Templates, migrated: Templates
) -> None:
    before, dsn = clone(seeded(rows=SMALL)), clone(migrated(rows=SMALL))
    with psycopg.connect(dsn) as conn:
        query = "update public.contacts set title = 'changed' where id = 7"
        assert conn.execute(query).rowcount == 1
    found = judged(dsn, plan, before)
    assert found.verdict == "fail"
    assert any("7" in f"{finding.message} {finding.evidence}" for finding in found.findings)
