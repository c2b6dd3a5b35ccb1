"""The suites that the harness ships, and what a plan must have for each to apply to it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from harness.check import plan_parts
from harness.plan import Plan
from harness.subject.choice import particulars_of
from harness.subject.project import Project

HOME = "harness/suite"
"""How their files are named, wherever the harness is installed."""

Lacks = Callable[[Plan, Project | None], str]
"""What a plan lacks for a suite to apply to it; empty when it applies."""


@dataclass(frozen=True)
class Shipped:
    """A suite of the harness: its name, its file below the suites, and what there is not for it."""

    name: str
    file: str
    lacking: str = ""

    @property
    def module(self) -> str:
        """What a suite of a project imports."""
        return f"harness.suite.{self.file.replace('/', '.')}"

    @property
    def path(self) -> Path:
        """Its file, here."""
        return home() / f"{self.file}.py"


def nothing(_plan: Plan, _project: Project | None) -> str:
    """Of a suite that applies to every plan."""
    return ""


def _validation(plan: Plan, _project: Project | None) -> str:
    declared = plan.validate.without.get("checks")
    absent = declared or "the plan has no checks/validate/*.sql"
    return "" if plan_parts.has_source_checks(plan) else absent


def _verify(plan: Plan, _project: Project | None) -> str:
    there = (plan_parts.has_checks_of_rows, plan_parts.has_rules, plan_parts.has_policy)
    return (
        ""
        if any(has(plan) for has in there)
        else "the plan has neither checks/verify nor checks/security.toml"
    )


def _security(plan: Plan, _project: Project | None) -> str:
    return "" if plan_parts.has_policy(plan) else "the plan has no checks/security.toml"


def _contract(plan: Plan, project: Project | None) -> str:
    return "" if contract_of(plan, project) else "the project names no contract of old clients"


def _rollback(plan: Plan, _project: Project | None) -> str:
    first = plan.steps[0] if plan.steps else None
    if first is None or first.irreversible is None:
        return ""
    return f"the first step, {first.id}, is declared irreversible: {first.irreversible}"


def _cleanup(plan: Plan, _project: Project | None) -> str:
    return "" if plan.cleanup else "the plan has no cleanup/*.sql"


OF_PLAN: Final[Mapping[str, Lacks]] = {
    "validation": _validation,
    "dry_run": nothing,
    "forward": nothing,
    "verify": _verify,
    "security": _security,
    "contract": _contract,
    "rollback": _rollback,
    "cleanup": _cleanup,
    "resume": nothing,
    "crash": nothing,
}
"""The suites of a plan, in the order in which they are told."""
OF_COMMAND: Final[Mapping[str, str]] = {
    "validation": "a command has no checks of the rows before: those are a plan's",
    "dry_run": "",
    "forward": "",
    "verify": "a command has no checks of the rows after: those are a plan's",
    "security": "a command has no checks/security.toml: that is a plan's",
    "contract": "what old clients ask is tried on the steps of a plan",
    "rollback": "",
    "cleanup": "a command has no clean-up",
    "resume": "a command has no checkpoints of ours; that it can be run again is tried by crash",
    "crash": "",
}
"""The suites of a command: empty, or why it does not apply."""
NO_WAY_BACK: Final = "the subject has no way back: there is no subject.down"


def shipped_for(plan: Plan | None, project: Project | None) -> tuple[Shipped, ...]:
    """Every shipped suite for a plan, or for the commands of a project."""
    if plan is not None:
        return tuple(Shipped(name, name, lacks(plan, project)) for name, lacks in OF_PLAN.items())
    command = project.command if project is not None else None
    lacking = dict(OF_COMMAND)
    if command is None or command.down is None:
        lacking["rollback"] = NO_WAY_BACK
    return tuple(Shipped(name, f"command/{name}", why) for name, why in lacking.items())


def contract_of(plan: Plan, project: Project | None) -> Path | None:
    """The directory of the queries that old clients send; None where the project has none."""
    named = particulars_of(plan.name, project).contract
    if named is not None and project is not None:
        return project.root / named
    beside = plan.root / "contract"
    return beside if beside.is_dir() else None


@cache
def home() -> Path:
    """The directory of the shipped suites."""
    found = importlib.util.find_spec(HOME.replace("/", "."))
    assert found is not None, "the harness is not whole"
    assert found.origin is not None, "the harness is not whole"
    return Path(found.origin).parent.resolve()


def portable_path(path: Path, root: Path) -> str:
    """A file below the root as seen from there; one of the shipped suites by its own name."""
    path = Path(path)
    if path.is_relative_to(home()):
        return f"{HOME}/{path.relative_to(home()).as_posix()}"
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
