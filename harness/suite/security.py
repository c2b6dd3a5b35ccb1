"""Who may do what: the matrix before and after the migration, tried for real."""

from __future__ import annotations

import pytest

from harness.check import security
from harness.check.security.policy import SecurityPolicy
from harness.database import fingerprint
from harness.plan import Plan
from harness.report import evidence
from harness.runner import migrate

from .support import SMALL, CloneFactory, TemplateFactory


@pytest.fixture(scope="session")
def policy(harness_plan: Plan) -> SecurityPolicy:
    """The plan's checks/security.toml."""
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
    policy: SecurityPolicy, harness_migrated_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_migrated_template(rows=SMALL))
    before = fingerprint.take(dsn)
    security.judge(dsn, policy)
    assert fingerprint.compare(before, fingerprint.take(dsn)) == ()
