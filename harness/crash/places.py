"""Which domains can strike in which directions, and why not where they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.crash.asked import Place
from harness.crash.ground import Ground
from harness.crash.model import DomainName
from harness.crash.settings import Settings
from harness.plan import Plan, Script

CLEANING: Final[tuple[DomainName, ...]] = ("wire", "wal")
"""The domains that strike a clean-up: everything that it does commits, or not, like a step."""
NEEDED: Final[dict[tuple[DomainName, str], str]] = {
    ("contended", "statement_timeout"): "batch",
    ("contended", "statement_timeout_persistent"): "batch",
}
"""Faults that can only meet one kind of step."""
NO_CLEANUP = "the plan has no clean-up"
ELSEWHERE = "this domain does not strike a clean-up: wire and wal do"
ALONE = "the undisturbed {way} fails: nothing of it can be struck before it is mended"


@dataclass
class Places:
    """What a plan does not have and what could not be looked at, each with why.

    `faultless` are faults of a domain that need a kind of step which the plan has not.
    """

    absent: dict[Place, str] = field(default_factory=dict)
    unlooked: dict[Place, str] = field(default_factory=dict)
    faultless: dict[tuple[DomainName, str], str] = field(default_factory=dict)


def places_of(settings: Settings, ground: Ground, failures: Mapping[DomainName, str]) -> Places:
    """Of the domains and directions that were asked for, those that have no points, and why."""
    found = Places(faultless=_faultless(settings, ground.plan))
    for domain in settings.domains:
        for way in settings.directions:
            place = (domain, way)
            if way == "cleanup" and not ground.plan.cleanup:
                found.absent[place] = NO_CLEANUP
            elif way == "cleanup" and domain not in CLEANING:
                found.absent[place] = ELSEWHERE
            elif way not in ground.directions:
                found.unlooked[place] = ALONE.format(way=way)
            elif domain in failures:
                found.unlooked[place] = failures[domain]
    return found


def _faultless(settings: Settings, plan: Plan) -> dict[tuple[DomainName, str], str]:
    kinds = {script.kind for step in plan.steps for script in (step.forward, step.rollback)}
    return {
        (domain, fault): f"no step of the plan is of kind {kind}"
        for (domain, fault), kind in NEEDED.items()
        if domain in settings.domains and kind not in kinds
    }


def cleanup_steps(plan: Plan) -> dict[str, Script]:
    """The scripts of a clean-up by the name that a run gives them, in its order."""
    return {script.name.removesuffix(".sql"): script for script in plan.cleanup}
