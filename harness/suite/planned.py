"""What suites ask of the plan under test, also while tests are collected: phases and directions."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness import plan
from harness.core.direction import Direction
from harness.plan import Plan, Step
from harness.subject.choice import default_plan


def plan_of(config: pytest.Config) -> Plan:
    """The plan under test."""
    # the plugin stands above the suites, which do not import it
    options: Any = config.pluginmanager.get_plugin("harness.pytest_plugin.options")
    root, named = config.rootpath, options.find_setting(config, "plan")
    return _loaded(root / named if named else default_plan(root))


def phases(config: pytest.Config) -> list[str]:
    """The ids of the phases, in order."""
    return [phase.id for phase in plan_of(config).phases]


def directions(config: pytest.Config) -> list[Direction]:
    """There and back, and the clean-up where the plan has one."""
    found: list[Direction] = ["forward", "rollback"]
    return [*found, "cleanup"] if plan_of(config).cleanup else found


def is_exact(plan: Plan, step: Step) -> bool:
    """Whether the way back from the end of a step restores everything: it and those before it."""
    return not any(
        one.irreversible for one in plan.steps[: [s.id for s in plan.steps].index(step.id) + 1]
    )


def last_exact(plan: Plan) -> str | None:
    """The last step from which the way back restores everything; None when it is the plan's end."""
    exact = [step.id for step in plan.steps if is_exact(plan, step)]
    return exact[-1] if exact and len(exact) < len(plan.steps) else None


@cache
def _loaded(path: Path) -> Plan:
    return plan.load(path)


def exact_part(plan: Plan) -> Plan:
    """The plan up to the last step from which the way back restores everything."""
    exact = {step.id for step in plan.steps if is_exact(plan, step)}
    if len(exact) == len(plan.steps):
        return plan
    phases = [
        replace(phase, steps=tuple(step for step in phase.steps if step.id in exact))
        for phase in plan.phases
    ]
    return replace(plan, phases=tuple(phase for phase in phases if phase.steps))
