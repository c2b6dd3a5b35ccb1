"""The source rows fit what the target demands; rows that do not are found and named."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from harness.check.preflight.run import Standing
from harness.check.validate.run import Validation, validate
from harness.plan import Plan
from harness.report import evidence
from harness.runner import status

from .support import FEW, HOSTILE, SMALL

ODD: list[dict[str, str]] = tomllib.loads(Path(__file__).with_name("odd.toml").read_text("utf-8"))[
    "seen"
]
Clone = Callable[[str], str]
Templates = Callable[..., str]


def judged(dsn: str, plan: Plan) -> Validation:
    found = status(dsn, plan)
    return validate(dsn, plan, Standing(found.state, found.reason, found.run, found.step))


def test_the_rows_may_migrate(harness_plan: Plan, harness_source: str) -> None:
    found = judged(harness_source, harness_plan)
    evidence.keep("validate", found.document())
    assert found.verdict == "pass", found.findings
    assert [finding for finding in found.findings if finding.severity != "info"] == []


def test_clean_rows_raise_no_alarm(
    harness_plan: Plan, harness_clone: Clone, harness_template: Templates
) -> None:
    found = judged(harness_clone(harness_template(rows=SMALL, profile="clean")), harness_plan)
    assert found.verdict == "pass"
    assert [finding for finding in found.findings if finding.severity != "info"] == []


def test_hostile_rows_are_no_go_and_named(
    harness_plan: Plan, harness_clone: Clone, harness_template: Templates
) -> None:
    found = judged(harness_clone(harness_template(rows=HOSTILE, profile="hostile")), harness_plan)
    assert found.verdict == "fail"
    assert all(one.finding.evidence for one in found.found if one.result)


@pytest.mark.parametrize("said", ["partly migrated", "migrated already"])
def test_a_database_on_which_the_plan_has_begun_is_not_passed(
    harness_plan: Plan, harness_clone: Clone, harness_migrated_template: Templates, said: str
) -> None:
    until = harness_plan.steps[2].id if said == "partly migrated" else None
    found = judged(harness_clone(harness_migrated_template(rows=SMALL, until=until)), harness_plan)
    assert found.verdict != "pass"
    assert any(said in finding.message for finding in found.findings), found.findings


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd["sql"].strip()[:60])
def test_what_would_stop_or_change_the_run_is_seen_before_it(
    odd: dict[str, str], harness_plan: Plan, harness_clone: Clone, harness_template: Templates
) -> None:
    dsn = harness_clone(harness_template(rows=FEW))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(odd["sql"])
    found = judged(dsn, harness_plan)
    loud = [f"{one.message} {one.evidence}" for one in found.findings if one.severity == "critical"]
    assert found.verdict == "fail"
    assert any(odd["names"] in line for line in loud), loud
