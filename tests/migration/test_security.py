"""Who may do what: the matrix before and after the migration, tried for real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.check import security
from harness.check.security.policy import SecurityPolicy
from harness.database import fingerprint
from harness.plan import Plan
from harness.report import evidence
from harness.runner import migrate

Clone = Callable[[str], str]
Templates = Callable[..., str]


@pytest.fixture(scope="session")
def policy(harness_plan: Plan) -> SecurityPolicy:
    return security.policy_of(harness_plan.root)


def test_the_migration_gives_and_takes_nothing_unexplained(
    policy: SecurityPolicy, harness_source: str, harness_target: str
) -> None:
    found = security.judge(harness_target, policy, before=harness_source)
    evidence.keep("security", security.document(found))
    assert [f.message for f in found.findings] == []
    assert found.verdict == "pass"


def test_rows_are_not_needed_to_prove_it(
    policy: SecurityPolicy, harness_baseline: str, harness_plan: Plan
) -> None:
    migrate(harness_baseline, harness_plan)
    before = fingerprint.take(harness_baseline)
    found = security.judge(harness_baseline, policy)
    assert found.verdict == "pass", found.findings
    assert fingerprint.compare(before, fingerprint.take(harness_baseline)) == ()


def test_trying_leaves_nothing_behind(
    policy: SecurityPolicy, harness_migrated_template: Templates, harness_clone: Clone
) -> None:
    dsn = harness_clone(harness_migrated_template(rows=300))
    before = fingerprint.take(dsn)
    security.judge(dsn, policy)
    assert fingerprint.compare(before, fingerprint.take(dsn)) == ()


def test_the_matrix_says_before_after_and_why(
    policy: SecurityPolicy,
    harness_template: Templates,
    harness_migrated_template: Templates,
    harness_clone: Clone,
) -> None:
    before, after = (
        harness_clone(harness_template(rows=300)),
        harness_clone(harness_migrated_template(rows=300)),
    )
    matrix = security.judge(after, policy, before=before).matrix
    rows: dict[str, Any] = {row["name"]: row for row in matrix["relations"]}
    summary = rows["public.contacts_summary"]
    assert summary["before"]["anon"]["select"] == "all"
    assert summary["after"]["anon"]["select"] == "none"
    assert "owner's rights" in summary["explained"]["anon select"]
    assert rows["public.opportunities"]["was"] == "public.deals"
    assert rows["public.activities"]["new"]
    assert rows["public.activities"]["after"]["authenticated"] == {
        "select": "all",
        "insert": "allowed",
        "update": "all",
        "delete": "all",
    }
