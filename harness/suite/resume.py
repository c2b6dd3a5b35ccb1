"""A runner killed anywhere is taken up where it was, and the end is as if nothing had happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from harness.plan import Plan, Step
from harness.report import evidence
from harness.runner import Event, migrate, rollback, status

from . import planned
from .journey import Fingerprint, copied, differences, impatient, migrated_before, state
from .killed import Action, KillPlace, Mark, killed_at
from .support import SMALL, CloneFactory, TemplateFactory

if TYPE_CHECKING:
    from harness.server import Server

CHECKPOINTS = ("batch", "step_done")
MOMENTS = ("step_started", "batch")
BATCH = 60  # rows: the larger backfills of a small seed take several of these
SHARES = (0.2, 0.5, 0.8)  # of the steps: where a run is killed and rolled back from


@pytest.fixture(scope="module")
def golden(harness_target: str) -> Fingerprint:
    """The identity of the database that was migrated without interruption."""
    return state(harness_target)


def test_killed_after_every_checkpoint_and_taken_up_each_time(
    harness_plan: Plan,
    harness_rows: int,
    golden: Fingerprint,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
    harness_filled_steps: set[str] | None,
) -> None:
    dsn = harness_clone(harness_template())
    quick = impatient(harness_plan, harness_rows // 5)
    deaths = killed_to_the_end("migrate", dsn, quick, CHECKPOINTS)
    batches = {str(step) for kind, step, _ in deaths if kind == "batch"}
    steps = {str(step) for kind, step, _ in deaths if kind == "step_done"}
    ids = [step.id for step in harness_plan.steps]
    assert harness_filled_steps in (None, batches)
    assert steps >= set(ids) - batches  # the last batch and the end of its step are one commit
    assert differences(golden, state(dsn)) == []
    assert migrate(dsn, harness_plan).steps_run == []
    assert status(dsn, harness_plan).state == "migrated"
    evidence.count("resume", "steps killed after and taken up", steps | batches, ids)


def test_rollback_killed_after_every_checkpoint_and_taken_up_each_time(
    harness_plan: Plan,
    harness_source: str,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_migrated_template(until=planned.last_exact(harness_plan)))
    deaths = killed_to_the_end("rollback", dsn, impatient(harness_plan), CHECKPOINTS)
    died = {str(step) for _, step, _ in deaths}
    ids = [step.id for step in harness_plan.steps if planned.is_exact(harness_plan, step)]
    assert died == set(ids)
    assert differences(state(harness_source), state(dsn)) == []
    assert status(dsn, harness_plan).state == "rolled-back"
    evidence.count("resume", "steps of the way back killed after and taken up", died, ids)


def test_killed_once_and_taken_up_to_the_end(
    harness_plan: Plan,
    golden: Fingerprint,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_template())
    ids = [step.id for step in harness_plan.steps]
    number = len(ids) // 2
    stand = KillPlace(("step_done",), step=ids[number])
    assert killed_at("migrate", dsn, harness_plan, stand) is not None
    outcome = migrate(dsn, harness_plan)
    assert outcome.resumed
    assert outcome.steps_skipped == ids[: number + 1]
    assert differences(golden, state(dsn)) == []


def test_killed_once_before_any_batch_or_index(
    harness_plan: Plan,
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    """Each of these moments for itself: a copy is killed there and taken up to the step's end."""
    quick = impatient(harness_plan, BATCH)
    dsn = harness_clone(harness_template(rows=SMALL))
    found: list[str] = []
    killed: list[str] = []
    for step in _worth_killing(harness_plan):
        migrated_before(dsn, quick, step.id)
        with copied(harness_server, dsn) as before:
            seen: list[Event] = []
            migrate(dsn, quick, until=step.id, on_event=seen.append)
            moments = [(e.kind, e.step, e.rows) for e in seen if e.kind in MOMENTS]
            after = state(dsn)
            for number, moment in enumerate(moments):
                stand = KillPlace(MOMENTS, skip=frozenset(moments[:number]))
                with copied(harness_server, before) as copy:
                    assert killed_at("migrate", copy, quick, stand, step.id) == moment
                    migrate(copy, quick, until=step.id)
                    found += [f"{moment}: {line}" for line in differences(after, state(copy))]
                    killed.append(f"{step.id} {moment}")
    assert found == []
    evidence.count("resume", "batches and indexes killed before", killed, killed)


def test_migrated_again_after_a_rollback_is_migrated_once(
    harness_plan: Plan,
    golden: Fingerprint,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_migrated_template())
    rollback(dsn, harness_plan)
    outcome = migrate(dsn, harness_plan)
    assert outcome.steps_run == [step.id for step in harness_plan.steps]
    if not harness_plan.irreversible:
        assert differences(golden, state(dsn)) == []


def test_killed_forward_and_rolled_back_from_there(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    untouched = state(harness_clone(harness_template(rows=SMALL)))
    quick = impatient(harness_plan, batch_rows=BATCH)
    exact = [step for step in harness_plan.steps if planned.is_exact(harness_plan, step)]
    for number in sorted({int(len(exact) * share) for share in SHARES}):
        dsn = harness_clone(harness_template(rows=SMALL))
        stand = KillPlace(MOMENTS, step=exact[number].id)
        assert killed_at("migrate", dsn, quick, stand) is not None
        rollback(dsn, quick)
        assert differences(untouched, state(dsn)) == []


def killed_to_the_end(action: Action, dsn: str, plan: Plan, kinds: tuple[str, ...]) -> list[Mark]:
    """Kill each runner at the first such event it reaches, until one comes to the end."""
    deaths: list[Mark] = []
    while (reached := killed_at(action, dsn, plan, KillPlace(kinds))) is not None:
        deaths.append(reached)
        assert len(deaths) < 1000, "the runner makes no progress"
    return deaths


def _worth_killing(plan: Plan) -> Sequence[Step]:
    """Every batch step and two indexes; every step of a plan that has neither."""
    batches = [step for step in plan.steps if step.forward.kind == "batch"]
    indexes = [step for step in plan.steps if step.forward.kind == "concurrent"]
    return batches + indexes[:2] or plan.steps
