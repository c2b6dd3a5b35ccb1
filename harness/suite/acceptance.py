"""Users get through their work before, during and after the migration, each role as it did.

The workflows are the project's: `workflows` of the object that its file names. During means after
half of the steps, and at the end of each phase: what the application names then is the
compatibility surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from harness.check.acceptance import WorkflowWalk, compare_walks, unwalked, walk_all
from harness.document.acceptance import AcceptanceDocument, SignOffDocument
from harness.plan import Plan
from harness.report import evidence
from harness.subject.choice import particulars_of
from harness.subject.project import find_project
from harness.subject.workflow import Workflow

from .support import SMALL, CloneFactory, TemplateFactory

BEFORE = "before"
HALFWAY = "after half of the steps"


def signed(walk: WorkflowWalk, refused: set[tuple[str, str, str]]) -> SignOffDocument:
    """The walk, with the time at which it was found to go as before, or not."""
    accepted = (walk.workflow, walk.role, walk.moment) not in refused
    return SignOffDocument(
        workflow=walk.workflow, role=walk.role, moment=walk.moment, steps=len(walk.answers),
        end=walk.end, accepted=accepted, seconds=walk.seconds,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def accept(workflows: Sequence[Workflow], databases: dict[str, str]) -> AcceptanceDocument:
    """Walk through every workflow in databases of each moment, the first of which is before."""
    walks = {moment: walk_all(dsn, workflows, moment) for moment, dsn in databases.items()}
    before, *later = walks.values()
    findings = list(unwalked(workflows, before))
    refused = set()
    for after in later:
        found = list(compare_walks(before, after))
        for one in found:
            role, _, rest = one.where.partition(", ")
            refused.add((one.id.removeprefix("acceptance."), role, rest.split(":")[0]))
        findings += found
    return AcceptanceDocument(
        verdict="fail" if findings else "pass",
        findings=findings,
        moments=list(databases),
        sign_offs=[signed(walk, refused) for moment in walks.values() for walk in moment],
    )


def test_every_role_gets_through_its_work_as_before(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_phase_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    workflows = particulars_of(harness_plan.name, find_project()).workflows
    middle = harness_plan.steps[len(harness_plan.steps) // 2].id
    databases = {
        BEFORE: harness_clone(harness_template(rows=SMALL)),
        HALFWAY: harness_clone(harness_migrated_template(rows=SMALL, until=middle)),
    }
    for phase in harness_plan.phases:
        dsn = harness_clone(harness_phase_template(phase.id, rows=SMALL))
        databases[f"after phase {phase.id}"] = dsn
    document = accept(workflows, databases)
    evidence.keep("acceptance", document)
    assert [f"{one.where}: {one.message}" for one in document.findings] == []
    assert document.sign_offs
