"""After the migration: every row, rule and right compared; a database that is none is no pass."""

from __future__ import annotations

import psycopg

from harness.plan import Plan
from harness.suite.support import SMALL, CloneFactory, TemplateFactory
from harness.suite.verify import *  # noqa: F403 - the shipped suite; more below
from harness.suite.verify import verified


def test_one_changed_value_is_found_and_its_row_named(
    harness_plan: Plan,
    harness_clone: CloneFactory,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
) -> None:
    before = harness_clone(harness_template(rows=SMALL))
    dsn = harness_clone(harness_migrated_template(rows=SMALL))
    with psycopg.connect(dsn) as conn:
        query = "update public.contacts set title = 'changed' where id = 7"
        assert conn.execute(query).rowcount == 1
    found = verified(dsn, harness_plan, before)
    assert found.verdict == "fail"
    assert any("7" in f"{finding.message} {finding.evidence}" for finding in found.findings)
