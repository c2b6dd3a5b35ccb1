"""What names the schema goes on after the subject's run, or is declared."""

from __future__ import annotations

from harness.database import admin
from harness.report import evidence
from harness.scenario.impact.clones import Clones
from harness.scenario.impact.run import ImpactSettings, run_impact
from harness.server import Server
from harness.subject.overlay import apply_overlay, artifact_paths, overlay_files
from harness.subject.protocol import Subject
from harness.suite.support import CloneFactory, TemplateFactory

from .course import run


def test_what_names_the_schema_goes_on_or_is_declared(
    harness_server: Server,
    harness_subject: Subject,
    harness_subject_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    before = harness_clone(harness_subject_template())
    apply_overlay(before, overlay_files(harness_subject))
    admin.end_connections(harness_server.dsn(), admin.dbname(before))
    after = harness_clone(admin.dbname(before))
    run(harness_subject, "forward", after)
    settings = ImpactSettings(harness_subject, artifact_paths(harness_subject))
    document = run_impact(settings, Clones(harness_server.dsn(), before, after))
    told = [f"{one.file}#{query.path}" for one in document.artifacts for query in one.queries]
    told += [f"{one.kind} {one.name}" for one in document.inside]
    evidence.count("artifacts", "artifacts judged on both schemas", told, told)
    assert [one.message for one in document.findings if one.severity == "critical"] == []
    assert document.verdict == "pass"
