"""Who may do what: the matrix before and after the migration, tried for real."""

from __future__ import annotations

from typing import Any

from harness.check import security
from harness.check.security.policy import SecurityPolicy
from harness.suite.security import *  # noqa: F403 - the shipped suite; more below
from harness.suite.support import CloneFactory, TemplateFactory


def test_the_matrix_says_before_after_and_why(
    policy: SecurityPolicy,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
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
