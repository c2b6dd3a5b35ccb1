"""Which domains can strike in which directions, and why not where they cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.core.direction import DIRECTIONS, Direction
from harness.crash.domain.environment import window
from harness.crash.domain.wire import foreign
from harness.crash.model import DomainName, Task
from harness.crash.registry import REGISTRY
from harness.crash.request import Place
from harness.crash.settings import CrashSettings
from harness.crash.setup import Setup
from harness.subject.plan import PlanSubject
from harness.subject.protocol import Part, Subject, has_direction

UNMET = "it needs {parts}, and the runs of a {kind} have none"
PARTS_SAID: Final[dict[Part, str]] = {
    "baseline": "a baseline",
    "back": "a way back",
    "cleanup": "a clean-up",
    "steps": "steps",
    "ledger": "a ledger",
}
UNPROMISED = (
    "a {kind} does not promise to go on with a run whose connection was lost, nor to stop midway"
)
NO_BACK = "the subject has no way back"
NO_CLEANUP = "the {kind} has no clean-up"
ELSEWHERE = "this domain does not strike a clean-up: wire and wal do"
ALONE = "the undisturbed {way} fails: nothing of it can be tried until that is fixed"


@dataclass
class Places:
    """What a plan does not have and what could not be looked at, each with why.

    `faultless` are faults of a domain that need a kind of step which the plan has not.
    """

    absent: dict[Place, str] = field(default_factory=dict)
    unlooked: dict[Place, str] = field(default_factory=dict)
    faultless: dict[tuple[DomainName, str], str] = field(default_factory=dict)


def places_of(settings: CrashSettings, ground: Setup, failures: Mapping[DomainName, str]) -> Places:
    """Of the domains and directions that were asked for, those that have no points, and why."""
    subject = ground.subject
    found = Places(faultless=_faultless(settings, ground))
    for domain in settings.domains:
        for way in settings.directions:
            place = (domain, way)
            if unmet := REGISTRY[domain].needs - subject.has:
                parts = " and ".join(PARTS_SAID[part] for part in sorted(unmet))
                found.absent[place] = UNMET.format(parts=parts, kind=subject.kind)
            elif not has_direction(subject, way):
                missing = NO_CLEANUP if way == "cleanup" else NO_BACK
                found.absent[place] = missing.format(kind=subject.kind)
            elif way == "cleanup" and not REGISTRY[domain].strikes_cleanup:
                found.absent[place] = ELSEWHERE
            elif way not in ground.directions:
                found.unlooked[place] = ALONE.format(way=way)
            elif domain in failures:
                found.unlooked[place] = failures[domain]
    return found


def applicable(domains: Sequence[DomainName], subject: Subject) -> tuple[DomainName, ...]:
    """Those of the domains that have what they need of the subject."""
    return tuple(domain for domain in domains if REGISTRY[domain].needs <= subject.has)


def _faultless(settings: CrashSettings, ground: Setup) -> dict[tuple[DomainName, str], str]:
    if not ground.resumes:
        reason = UNPROMISED.format(kind=ground.subject.kind)
        tried = (*foreign.FAULTS, foreign.CLOSING)
        others = [name for name in REGISTRY["wire"].faults if name not in tried]
        return {("wire", name): reason for name in others if "wire" in settings.domains}
    is_closed = "environment" not in settings.domains or window.application_roles(ground.subject)
    absent = () if is_closed else window.FAULTS
    windowless = {("environment", fault): window.NO_ROLES for fault in absent}
    steps = ground.plan.steps
    kinds = {script.kind for step in steps for script in (step.forward, step.rollback)}
    return windowless | {
        (domain, fault): f"no step of the plan is of kind {kind}"
        for domain in settings.domains
        for fault, kind in REGISTRY[domain].kinds.items()
        if kind not in kinds
    }


def cleanup_steps(subject: Subject) -> dict[str, str]:
    """The files of a clean-up by the name that a run gives them, in its order."""
    if not isinstance(subject, PlanSubject):
        return {}
    return {script.name.removesuffix(".sql"): script.name for script in subject.plan.cleanup}


def steps_of(subject: Subject, tasks: Sequence[Task]) -> dict[Direction, tuple[str, ...]]:
    """The steps of each direction in the order of its run; rollback where it has others.

    Of a subject that tells none they are those of the points that were found.
    """
    names = tuple(each.name for each in subject.revisions)
    if names:
        return {"forward": names, "cleanup": tuple(cleanup_steps(subject))}
    found: dict[Direction, dict[str, None]] = {way: {} for way in DIRECTIONS}
    for task in tasks:
        for point in task.points:
            found[point.direction][point.step] = None
    return {way: tuple(steps) for way, steps in found.items()}
