"""The command migrates, run again it changes nothing, and no row or value is lost on the way."""

from __future__ import annotations

from harness.report import evidence
from harness.subject.protocol import Subject
from harness.suite import loss
from harness.suite.support import CloneFactory, TemplateFactory, connected

from .course import differences, run, state


def test_up_runs_and_a_second_run_changes_nothing(
    harness_subject: Subject, harness_subject_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_subject_template())
    run(harness_subject, "forward", dsn)
    once = state(harness_subject, dsn)
    run(harness_subject, "forward", dsn)
    assert differences(once, state(harness_subject, dsn)) == []
    evidence.count("forward", "runs of up", ["first", "second"], ["first", "second"])


def test_up_loses_no_row_and_no_value(
    harness_subject: Subject, harness_subject_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_subject_template())
    with connected(dsn) as conn:
        before = loss.held(conn)
        run(harness_subject, "forward", dsn)
        assert loss.losses(before, loss.held(conn)) == []
    names = [table.name for table in before]
    evidence.count("forward", "tables compared", names, names)
