"""Judges: what a mutant is shown to, and the outcome when one of them says something."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from harness.core.direction import STEP_DIRECTIONS, StepDirection
from harness.core.errors import HarnessError, UsageError
from harness.database import limits
from harness.plan import Plan
from harness.scenario.mutate import mutants
from harness.scenario.mutate.model import Mutant, MutantResult

HURRIED: dict[str, Any] = {
    "adaptive": False,
    "batch_rows": 120,
    "batch_min_rows": 60,
    "heartbeat": 0.0,
    "reconnect": 0.0,
    "retries": 2,
    "retry_base": 0.01,
    "retry_max": 0.05,
    "takeover": 0.2,
    "lock_timeout": 1.0,
    "long_use": 0.0,
    "max_wait": 0.0,
    "max_host_load_percent": 0,
    "lock_total": 0.0,
    "statement_timeout": 20.0,
    "batch_statement_timeout": 20.0,
}
"""[runner] for a mutant: several batches of few rows, and nobody waits for what will not come."""

LIMITS = {"statement_timeout": "20s", "lock_timeout": "3s"}
"""For every connection of a judge: a mutant may make a query that does not end."""


@dataclass(frozen=True)
class Case:
    """What is judged: a plan that may hold a defect in a step, beside the plan without it.

    `line` is that of the statement with the defect, 0 where there is none.
    """

    server_dsn: str
    plan: Plan
    original: Plan
    step: str | None = None
    direction: StepDirection = "forward"
    line: int = 0


class MutantJudge(Protocol):
    """The checks of a plan, the cheapest first: after each its name and what it found.

    It is not asked for the next one when one has found something; then, and at the end, it drops
    what it made. A check that breaks on what the defect did has found it: that is for the judge to
    say. What escapes it is a bug, and the mutant's outcome is unknown.
    """

    def __call__(self, case: Case) -> Iterator[tuple[str, list[str]]]:
        """Name and findings of each check."""


def named(name: str) -> MutantJudge:
    """The judge that `module:function` names; UsageError when there is none."""
    module, _, function = name.partition(":")
    try:
        return cast("MutantJudge", getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(
            f"no judge {name!r}: {error}",
            hint="name it as module:function, and run from the directory of the project",
        ) from None


def hurried(plan: Plan) -> Plan:
    """The plan with a runner that waits for nobody."""
    return replace(plan, runner=replace(plan.runner, **HURRIED))


def judged(judge: MutantJudge, server_dsn: str, plan: Plan, mutant: Mutant) -> MutantResult:
    """What becomes of one mutant."""
    began = time.monotonic()
    _limit()

    def result(outcome: Any, by: str = "", reason: str = "") -> MutantResult:
        return MutantResult(mutant, outcome, by, reason, round(time.monotonic() - began, 3))

    try:
        changed = mutants.applied(plan, mutant)
    except UsageError as error:
        return result("killed", "plan", str(error))
    step = None if mutant.cleans else mutant.step
    case = Case(server_dsn, hurried(changed), hurried(plan), step, mutant.direction, mutant.line)
    name = ""
    try:
        with closing(cast("Any", judge(case))) as remarks:
            for name, findings in remarks:
                if findings:
                    return result("killed", name, findings[0])
    except HarnessError as error:
        return result("unknown", name, str(error))
    except Exception as error:  # a bug of the judge must not end the whole run
        return result("unknown", name, f"{type(error).__name__}: {error}")
    return result("survived")


def _limit() -> None:
    """Our own sessions by our own list, the judge's others by what libpq reads."""
    limits.bound(**LIMITS)
    os.environ["PGOPTIONS"] = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())


def sound(judge: MutantJudge, server_dsn: str, plan: Plan) -> list[str]:
    """What the judge has against the plan as it is, which must be nothing: both directions."""
    _limit()
    found = []
    for direction in STEP_DIRECTIONS:
        case = Case(server_dsn, hurried(plan), hurried(plan), plan.steps[0].id, direction)
        with closing(cast("Any", judge(case))) as remarks:
            found += [f"{name}: {line}" for name, findings in remarks for line in findings]
    return found
