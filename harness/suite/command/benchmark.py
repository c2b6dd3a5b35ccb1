"""Queries made from the catalog cost no more after the subject's run than they may."""

from __future__ import annotations

from harness.report import evidence
from harness.scenario.bench.evidence import document_costs
from harness.scenario.bench.judge import judge_costs
from harness.scenario.bench.measure import measure_pair
from harness.subject.project import find_project
from harness.subject.protocol import Subject
from harness.suite.support import CloneFactory, TemplateFactory, connected

from .course import run


def test_queries_find_their_indexes_and_cost_no_more_than_allowed(
    harness_subject: Subject, harness_subject_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    name = harness_subject_template()
    before, after = harness_clone(name), harness_clone(name)
    run(harness_subject, "forward", after)
    with connected(after) as conn:
        conn.execute("vacuum (analyze)")
    pair = measure_pair(before, after, ())
    project = find_project()
    found = judge_costs(pair, project.benchmark.accept if project is not None else None)
    document = document_costs(pair, found)
    evidence.keep("benchmark", document)
    assert [one.message for one in found if one.severity == "critical"] == []
    assert document.verdict == "pass", document.reason
