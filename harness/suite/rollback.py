"""The way back leads exactly to where the way forward began, and loses nothing on it.

A step that is declared irreversible has no exact way back: what it leaves is judged by the dry run,
and here the plan is rolled back from before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.core.errors import Refused
from harness.database import witness
from harness.plan import Plan
from harness.report import evidence
from harness.runner import ledger, migrate, rollback, status

from . import planned
from .journey import Fingerprint, copied, differences, state
from .support import SMALL, CloneFactory, TemplateFactory, connected

if TYPE_CHECKING:
    from harness.server import Server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a phase for each phase; those of a boundary for each but the last of several."""
    phases = planned.phases(metafunc.config)
    if "phase" in metafunc.fixturenames:
        metafunc.parametrize("phase", phases)
    if "boundary" in metafunc.fixturenames:
        metafunc.parametrize("boundary", phases[:-1] or phases)


@pytest.fixture(scope="module")
def before(harness_source: str) -> Fingerprint:
    """The identity of the seeded database."""
    return state(harness_source)


def test_rollback_of_the_whole_leaves_nothing_behind(
    harness_plan: Plan,
    harness_source: str,
    before: Fingerprint,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    until = planned.last_exact(harness_plan)
    dsn = harness_clone(harness_migrated_template(until=until))
    outcome = rollback(dsn, harness_plan)
    assert differences(before, state(dsn)) == []
    assert outcome.archived == {}
    assert status(dsn, harness_plan).state == "rolled-back"
    assert witness.differences(witness.dump(harness_source), witness.dump(dsn)) == ()
    evidence.count("rollback", "seeds rolled back whole", ["real"], ["real"])


def test_rollback_from_a_phase_boundary_leaves_nothing_behind(
    boundary: str,
    harness_plan: Plan,
    before: Fingerprint,
    harness_phase_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_phase_template(boundary))
    assert rollback(dsn, harness_plan).archived == {}
    last = next(one for one in harness_plan.phases if one.id == boundary).steps[-1]
    if planned.is_exact(harness_plan, last):
        assert differences(before, state(dsn)) == []


def test_rollback_from_every_step_boundary_leaves_nothing_behind(
    phase: str,
    harness_plan: Plan,
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_phase_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    ids = [one.id for one in harness_plan.phases]
    start = ids.index(phase)
    base = harness_phase_template(ids[start - 1], rows=SMALL) if start else None
    dsn = harness_clone(base or harness_template(rows=SMALL))
    untouched = state(harness_clone(harness_template(rows=SMALL)))
    found = []
    steps = [s for s in harness_plan.phases[start].steps if planned.is_exact(harness_plan, s)]
    for step in steps:
        migrate(dsn, harness_plan, until=step.id)
        with copied(harness_server, dsn) as copy:
            outcome = rollback(copy, harness_plan)
            found += [f"{step.id}: {line}" for line in differences(untouched, state(copy))]
            found += [f"{step.id}: archived {outcome.archived}"] * bool(outcome.archived)
    assert found == []
    every = [one.id for one in harness_plan.steps if planned.is_exact(harness_plan, one)]
    done = [step.id for step in steps]
    evidence.count("rollback", "step boundaries rolled back from", done, every)


def test_rollback_after_the_window_is_refused_and_an_override_is_recorded(
    harness_plan: Plan, harness_migrated_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_migrated_template(rows=SMALL))
    late = replace(harness_plan, window_hours=1e-9)
    with pytest.raises(Refused, match="window"):
        rollback(dsn, late)
    assert status(dsn, harness_plan).state == "migrated"
    rollback(dsn, late, override_window="the customer asked")
    with connected(dsn) as conn:
        assert "the customer asked" in ledger.reasons(conn)


def test_a_second_rollback_does_nothing(
    harness_plan: Plan, harness_migrated_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_migrated_template(rows=SMALL))
    rollback(dsn, harness_plan)
    once = state(dsn)
    assert rollback(dsn, harness_plan).steps_run == []
    assert differences(once, state(dsn)) == []
