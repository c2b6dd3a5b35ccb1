"""The source rows fit what the target demands; rows that do not are found and named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import psycopg
import pytest

from harness.plan import Plan
from harness.suite.support import FEW, SMALL, CloneFactory, TemplateFactory
from harness.suite.validation import *  # noqa: F403 - the shipped suite; more below
from harness.suite.validation import validated

from .support import HOSTILE

ODD: list[dict[str, str]] = tomllib.loads(Path(__file__).with_name("odd.toml").read_text("utf-8"))[
    "seen"
]


def test_clean_rows_raise_no_alarm(
    harness_plan: Plan, harness_clone: CloneFactory, harness_template: TemplateFactory
) -> None:
    found = validated(harness_clone(harness_template(rows=SMALL, profile="clean")), harness_plan)
    assert found.verdict == "pass"
    assert [finding for finding in found.findings if finding.severity != "info"] == []


def test_hostile_rows_are_no_go_and_named(
    harness_plan: Plan, harness_clone: CloneFactory, harness_template: TemplateFactory
) -> None:
    hostile = harness_template(rows=HOSTILE, profile="hostile")
    found = validated(harness_clone(hostile), harness_plan)
    assert found.verdict == "fail"
    assert all(one.finding.evidence for one in found.found if one.result)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd["sql"].strip()[:60])
def test_what_would_stop_or_change_the_run_is_seen_before_it(
    odd: dict[str, str],
    harness_plan: Plan,
    harness_clone: CloneFactory,
    harness_template: TemplateFactory,
) -> None:
    dsn = harness_clone(harness_template(rows=FEW))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(odd["sql"])
    found = validated(dsn, harness_plan)
    loud = [f"{one.message} {one.evidence}" for one in found.findings if one.severity == "critical"]
    assert found.verdict == "fail"
    assert any(odd["names"] in line for line in loud), loud
