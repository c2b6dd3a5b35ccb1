"""The way back leads exactly to where the way forward began, and the way forward is open again."""

from __future__ import annotations

from harness.report import evidence
from harness.subject.protocol import Subject
from harness.suite.support import CloneFactory, TemplateFactory

from .course import differences, run, state


def test_down_leads_back_exactly_and_up_leads_there_again(
    harness_subject: Subject, harness_subject_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_subject_template())
    before = state(harness_subject, dsn)
    run(harness_subject, "forward", dsn)
    after = state(harness_subject, dsn)
    run(harness_subject, "rollback", dsn)
    assert differences(before, state(harness_subject, dsn)) == []
    run(harness_subject, "forward", dsn)
    assert differences(after, state(harness_subject, dsn)) == []
    evidence.count("rollback", "ways back", ["from the end"], ["from the end"])
