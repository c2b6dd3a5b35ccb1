"""Queries cost no more after the migration than they may: counts and plans, without a clock.

The subject's own queries (`benchmarks` of the project's object), what its contract reads, and
queries by key, by index and by reference that are made from the catalog of any subject.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plan import Plan
from harness.report import evidence
from harness.scenario.bench.evidence import document_costs
from harness.scenario.bench.judge import judge_costs
from harness.scenario.bench.measure import measure_pair
from harness.scenario.bench.queries import queries_of
from harness.subject.choice import particulars_of
from harness.subject.project import find_project

from .support import CloneFactory, TemplateFactory


@pytest.fixture(scope="session")
def harness_benchmarks(harness_plan: Plan) -> Path | None:
    """The directory of the subject's queries; None where it has none. May be redefined."""
    project = find_project()
    named = particulars_of(harness_plan.name, project).benchmarks
    return project.root / named if named is not None and project is not None else None


def test_queries_find_their_indexes_and_cost_no_more_than_allowed(
    harness_benchmarks: Path | None,
    harness_contract: Path | None,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    queries = queries_of(harness_benchmarks, harness_contract)
    before, after = (
        harness_clone(make()) for make in (harness_template, harness_migrated_template)
    )
    pair = measure_pair(before, after, queries)
    project = find_project()
    found = judge_costs(pair, project.benchmark.accept if project is not None else None)
    document = document_costs(pair, found)
    evidence.keep("benchmark", document)
    assert [one.message for one in found if one.severity == "critical"] == []
    assert document.verdict == "pass", document.reason
