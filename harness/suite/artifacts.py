"""What names the schema goes on, or is declared: files outside of it, and what stands in it.

The subject's artifacts (`artifacts` of the project's object) are rewritten and run before and
after; its `overlay`, webhook triggers, publications, jobs, functions, is tried on both databases.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.document.impact import ImpactDocument
from harness.plan import Plan
from harness.report import evidence
from harness.scenario.impact.clones import Clones
from harness.scenario.impact.run import ImpactSettings, run_impact
from harness.server import Server
from harness.subject.overlay import artifact_paths, overlay_files
from harness.subject.protocol import Subject

from .dressed import dressed_clones
from .support import FEW, TemplateFactory


@pytest.fixture(scope="module")
def impact_clones(
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_plan: Plan,
    harness_subject: Subject,
) -> Iterator[Clones]:
    """The seeded database with the subject's overlay, and the same after the migration."""
    base, files = harness_template(rows=FEW), overlay_files(harness_subject)
    with dressed_clones(harness_server.dsn(), base, harness_plan, files) as clones:
        yield clones


@pytest.fixture(scope="module")
def impact_settings(
    harness_subject: Subject, tmp_path_factory: pytest.TempPathFactory
) -> ImpactSettings:
    """What is looked at, and where the rewritten files go."""
    out = tmp_path_factory.mktemp("artifacts") / "out"
    return ImpactSettings(harness_subject, artifact_paths(harness_subject), out=out)


@pytest.fixture(scope="module")
def impact(impact_clones: Clones, impact_settings: ImpactSettings) -> ImpactDocument:
    """What the migration does to all of it."""
    return run_impact(impact_settings, impact_clones)


def test_what_names_the_schema_goes_on_or_is_declared(impact: ImpactDocument) -> None:
    queries = {f"{one.file}#{q.path}": q.outcome for one in impact.artifacts for q in one.queries}
    inside = {f"{one.kind} {one.name}": one for one in impact.inside}
    going = [name for name, word in queries.items() if word in ("same", "declared")]
    held = [name for name, one in inside.items() if one.severity in (None, "info")]
    if queries:
        evidence.count("artifacts", "queries of files judged on both schemas", going, list(queries))
    evidence.count("artifacts", "artifacts in the database tried on both", held, list(inside))
    assert [one.message for one in impact.findings if one.severity == "critical"] == []
    assert impact.verdict == "pass"


def test_a_second_run_changes_nothing(
    impact: ImpactDocument, impact_settings: ImpactSettings, impact_clones: Clones
) -> None:
    out = impact_settings.out
    assert out is not None
    if not impact.artifacts:
        return  # the subject has no files, and what is in the database is not rewritten
    written = {path: path.read_bytes() for path in files_below(out)}
    settings = ImpactSettings(impact_settings.subject, [out], write=True, inside=False)
    again = run_impact(settings, impact_clones)
    assert again.counts["edits"] == 0
    assert {path: path.read_bytes() for path in files_below(out)} == written


def files_below(directory: Path) -> list[Path]:
    """The files of a directory, whatever the depth."""
    return sorted(path for path in directory.rglob("*") if path.is_file())
