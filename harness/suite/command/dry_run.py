"""The command on a copy, forward and back: nothing is touched, and what it locks is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.database import fingerprint
from harness.report import evidence
from harness.scenario.dry_run.command import rehearse_command
from harness.subject.protocol import Subject
from harness.suite.support import CloneFactory, TemplateFactory

if TYPE_CHECKING:
    from harness.server import Server

OURS = ("embedded", "system", "container")


@pytest.mark.alone  # what the server's databases share is compared before and after
def test_the_command_runs_on_a_copy_and_says_what_it_locks(
    harness_subject: Subject,
    harness_server: Server,
    harness_subject_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_subject_template())
    before = fingerprint.take(dsn)
    provider = harness_server.provider if harness_server.provider in OURS else "auto"
    document = rehearse_command(dsn, harness_subject, server=provider).document()
    assert not fingerprint.compare(before, fingerprint.take(dsn))
    evidence.keep("dry_run", document)
    assert document.verdict == "pass", document.findings
    assert {step.direction for step in document.steps} >= {"forward"}
