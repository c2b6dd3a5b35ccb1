"""The whole plan on a copy, forward and back: nothing is touched; the real run is predicted."""

from __future__ import annotations

from typing import Any

from harness.database import fingerprint
from harness.document.base import to_builtins
from harness.plan import Plan
from harness.report import evidence
from harness.runner import migrate
from harness.scenario.dry_run import dry_run, estimate_error

from .support import CloneFactory, TemplateFactory

NEGLIGIBLE = 0.5  # seconds: of a shorter run the runner's own start is what is measured
TRIES = 2  # a machine that was busy with something else for a moment is no reason to say no


def rehearsed(dsn: str, plan: Plan) -> dict[str, Any]:
    """A dry run's document, and how far its estimate was from the real run after it."""
    before = fingerprint.take(dsn)
    found = dry_run(dsn, plan).document()
    assert not fingerprint.compare(before, fingerprint.take(dsn))
    migrate(dsn, plan)
    error = estimate_error(dsn, found, plan.dry_run.estimate_percent)
    document: dict[str, Any] = to_builtins(found)
    return document | {"estimate": to_builtins(error)}


def is_near(estimate: dict[str, Any]) -> bool:
    """Whether an estimate was as near to the run as the plan allows, or off by next to nothing."""
    expected, seconds = estimate["estimate_seconds"], estimate["seconds"]
    known = expected is not None and seconds is not None
    return estimate["verdict"] == "pass" or (known and abs(expected - seconds) < NEGLIGIBLE)


def test_the_plan_runs_on_a_copy_and_says_how_long_it_takes(
    harness_plan: Plan, harness_clone: CloneFactory, harness_template: TemplateFactory
) -> None:
    document: dict[str, Any] = {}
    tries: list[dict[str, Any]] = []
    while len(tries) < TRIES:
        document = rehearsed(harness_clone(harness_template()), harness_plan)
        tries.append(document["estimate"])
        if document["verdict"] != "pass" or is_near(document["estimate"]):
            break
    evidence.keep("dry_run", document | {"tries": tries})  # one that was off is not hidden
    assert document["verdict"] == "pass", document["findings"]
    assert is_near(document["estimate"]), document["estimate"]
    assert not document["way_back"]["unexplained"]
    assert document["way_back"]["equal"] or harness_plan.irreversible
    for direction in ("forward", "rollback"):
        steps = [step["id"] for step in document["steps"] if step["direction"] == direction]
        assert sorted(steps) == sorted(step.id for step in harness_plan.steps)
