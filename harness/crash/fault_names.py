"""Every fault by its name, known before anything is looked for: a wrong name is refused at once.

Where a part of a name is found by looking, such as a column of the ledger, it is in capitals here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.core.direction import Direction
from harness.core.errors import UsageError
from harness.crash.domain.wire.span import RESUME
from harness.crash.model import END, START, DomainName, Point
from harness.crash.registry import REGISTRY
from harness.subject.plan import PlanSubject
from harness.subject.protocol import Subject


def knows(domain: DomainName, fault: str) -> bool:
    """Whether a domain has a fault of this name."""
    shapes = (re.sub("[A-Z]+", r"\\w+", re.escape(name)) for name in REGISTRY[domain].faults)
    return any(re.fullmatch(shape, fault) for shape in shapes)


def knowing(domains: Sequence[DomainName], faults: Sequence[str]) -> tuple[DomainName, ...]:
    """The domains that know one of the faults; UsageError when none knows one of them."""
    for fault in faults:
        if not any(knows(domain, fault) for domain in domains):
            raise UsageError(
                f"no fault {fault!r} in what is explored",
                hint="; ".join(
                    f"{domain} has {', '.join(REGISTRY[domain].faults)}" for domain in domains
                ),
            )
    return tuple(domain for domain in domains if any(knows(domain, fault) for fault in faults))


def refuse_unknown(point: Point, subject: Subject) -> None:
    """UsageError for a point that this subject cannot have: its step or its fault is unknown.

    Of a subject that tells no steps they are known when its run was recorded.
    """
    if point.domain not in REGISTRY:
        raise UsageError(
            f"{point.id!r} is not a crash point: there is no domain {point.domain!r}",
            hint="one of " + ", ".join(REGISTRY),
        )
    steps = _steps(point.direction, subject)
    if steps and point.step not in steps:
        raise UsageError(
            f"no crash point {point.id}: {subject.kind} {subject.name} has no step {point.step}",
            hint="the plan must be that of the exploration that printed it",
        )
    if not knows(point.domain, point.fault):
        raise UsageError(
            f"no crash point {point.id}: domain {point.domain} has no fault {point.fault}",
            hint="one of " + ", ".join(REGISTRY[point.domain].faults),
        )


def _steps(direction: Direction, subject: Subject) -> list[str]:
    """The names that steps of a direction can have; none when they are not known yet."""
    if not isinstance(subject, PlanSubject):
        return []
    names = [step.id for step in subject.plan.steps]
    if direction == "cleanup":
        names = [script.name.removesuffix(".sql") for script in subject.plan.cleanup]
    return [START, RESUME, END, *names]
