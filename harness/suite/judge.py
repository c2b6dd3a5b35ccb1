"""The default judge of mutants: what the shipped suites look at, on few rows, both ways.

A project's own judge takes these stages and adds what only it claims.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from harness.check import contract
from harness.check.plan_parts import has_checks_of_rows, with_absences
from harness.check.verify import verify
from harness.check.verify.doubt import CLEANED
from harness.runner import cleanup, migrate, rollback
from harness.scenario.dry_run import dry_run
from harness.scenario.gate.shipped import contract_of
from harness.scenario.mutate.judging import Case
from harness.subject.project import find_project
from harness.suite.stage_order import Stages

from . import loss
from .journey import Fingerprint, differences, state
from .scene import Remark, Scene, heard
from .support import connected

FEW_ROWS = 30  # what a statement may do to rows of users while they wait, of some hundred
WHY = "the judge cleans up at once"
STATES: dict[str, Fingerprint] = {}


def judge(case: Case, only: tuple[str, ...] = ()) -> Iterator[Remark]:
    """Every check of the shipped suites, the likeliest first; or `only` the stages of these names.

    It compares nothing with the plan as it was: only with the database before, and with what the
    plan itself says.
    """
    yield from STAGES.ask(Scene(case), only)


def forward(scene: Scene) -> Iterator[Remark]:
    """The plan runs."""

    def go() -> list[str]:
        scene.after()
        return []

    yield heard("forward", go)


def kept(scene: Scene) -> Iterator[Remark]:
    """No row or value is lost, where the plan does not say itself what the rows become."""

    def go() -> list[str]:
        if has_checks_of_rows(scene.case.plan) or scene.case.plan.irreversible:
            return []
        pair = scene.pair(scene.before(), scene.after())
        return loss.losses(loss.held(pair.source), loss.held(pair.target))

    yield heard("kept", go)


def back(scene: Scene, kind: str | None = None) -> Iterator[Remark]:
    """The way back leads exactly to where the way there began."""

    def go() -> list[str]:
        dsn = scene.after(kind)
        outcome = rollback(dsn, scene.case.plan)
        if scene.case.plan.irreversible:
            return []  # what they leave is for the dry run
        found = differences(state_before(scene, kind), state(dsn))
        return found + [f"archived {outcome.archived}"] * bool(outcome.archived)

    yield heard(f"rollback {kind or scene.kind}", go)


def state_before(scene: Scene, kind: str | None = None) -> Fingerprint:
    """The identity of a seeded template, taken once a process."""
    name = scene.seeded(kind)
    if name not in STATES:
        STATES[name] = state(scene.before(kind))
    return STATES[name]


def verified(scene: Scene) -> Iterator[Remark]:
    """What the plan brings to be verified with."""

    def go() -> list[str]:
        plan = with_absences(scene.case.plan)
        found = verify(scene.after(), plan, state="migrated", source=scene.before(), count=1)
        return [f"{one.id}: {one.message}" for one in found.findings if one.severity != "info"]

    yield heard("verify", go)


def asked(scene: Scene) -> Iterator[Remark]:
    """What old clients read, where the project has a contract of theirs."""

    def go() -> list[str]:
        directory = contract_of(scene.case.original, find_project())
        if directory is None:
            return []
        found = contract.reads(scene.before(), scene.after(), directory)
        return [f"{one.id}: {one.message}" for one in found]

    yield heard("contract", go)


def rehearsed(scene: Scene) -> Iterator[Remark]:
    """What the dry run has against the plan, on rows so few that a few are many."""
    plan = scene.case.plan
    strict = replace(plan, dry_run=replace(plan.dry_run, small_rows=FEW_ROWS))

    def go() -> list[str]:
        found = dry_run(scene.before(), strict).findings
        return [f"{one.id}: {one.message}" for one in found if one.severity == "critical"]

    yield heard("dry run", go)


def boundary(scene: Scene) -> Iterator[Remark]:
    """The way back from where the step, and the one behind it, ended."""
    case = scene.case
    ids = [step.id for step in case.plan.steps]
    place = [step.id for step in case.original.steps].index(case.step) if case.step else 0
    for until in ids[place : place + 2]:
        yield heard(f"rollback from {until}", partial(back_from, scene, until))


def back_from(scene: Scene, until: str) -> list[str]:
    """What is not as before after a way back from the end of a step."""
    dsn = scene.own(scene.reached())
    migrate(dsn, scene.case.plan, until=until)
    rollback(dsn, scene.case.plan)
    if scene.case.plan.irreversible:
        return []
    return differences(state_before(scene), state(dsn))


def cleaned(scene: Scene) -> Iterator[Remark]:
    """The clean-up takes what it lists and no more, and what stays is verified."""
    plan = scene.case.plan
    if not plan.cleanup:
        return

    def go() -> list[str]:
        dsn = scene.after()
        with connected(dsn) as conn:
            tables = loss.held(conn)
            listed = cleanup(dsn, plan, override_retention=WHY)
            found = loss.unlisted(loss.losses(tables, loss.held(conn)), listed)
        judged = verify(
            dsn, with_absences(plan), state=CLEANED, source=scene.before(), count=1
        ).findings
        return found + [f"{one.id}: {one.message}" for one in judged if one.severity != "info"]

    yield heard("cleanup", go)


STAGES = Stages(
    forward=(forward, kept, back, verified, asked, rehearsed, boundary),
    rollback=(back, rehearsed, boundary),
    last=(cleaned,),
)
