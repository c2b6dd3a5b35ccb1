"""The suites that the harness ships, and what a plan must have for each to apply to it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from harness.check import plan_parts
from harness.check.contract.settings import contract_settings
from harness.people.window_file import find_window
from harness.plan import Plan
from harness.scenario.gate.suite_kinds import list_registered, module_path
from harness.subject.choice import application_roles, foreign_subject, particulars_of
from harness.subject.project import Project

HOME = "harness/suite"
"""How their files are named, wherever the harness is installed."""

Lacks = Callable[[Plan, Project | None], str]
"""What a plan lacks for a suite to apply to it; empty when it applies."""


@dataclass(frozen=True)
class Shipped:
    """A suite that comes with an installed package: its file here, and what there is not for it."""

    name: str
    path: Path
    lacking: str = ""


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


def _api(plan: Plan, project: Project | None) -> str:
    directory = contract_of(plan, project)
    told = directory is not None and contract_settings(directory).api is not None
    return "" if told else "no contract.toml has [api]: the subject names no API of its schema"


def _rollback(plan: Plan, _project: Project | None) -> str:
    first = plan.steps[0] if plan.steps else None
    if first is None or first.irreversible is None:
        return ""
    return f"the first step, {first.id}, is declared irreversible: {first.irreversible}"


def _acceptance(plan: Plan, project: Project | None) -> str:
    there = particulars_of(plan.name, project).workflows
    return "" if there else "the project gives no workflows of its users"


def _webhooks(plan: Plan, project: Project | None) -> str:
    there = particulars_of(plan.name, project).webhooks
    first = plan.steps[0] if plan.steps else None
    if there is not None and first is not None and first.irreversible is not None:
        return _rollback(plan, project)
    return "" if there else "the project gives no source of webhooks"


def _maintenance(plan: Plan, project: Project | None) -> str:
    there = application_roles(plan, project)
    return "" if there else "neither the project nor the plan names a role of the application"


def _artifacts(plan: Plan | None, project: Project | None) -> str:
    there = particulars_of(plan.name if plan is not None else None, project)
    return "" if there.artifacts or there.overlay else NO_ARTIFACTS


def _people(plan: Plan, _project: Project | None) -> str:
    return "" if find_window(plan.path) else "there is no window.toml beside the plan"


def _cleanup(plan: Plan, _project: Project | None) -> str:
    return "" if plan.cleanup else "the plan has no cleanup/*.sql"


OF_PLAN: Final[Mapping[str, Lacks]] = {
    "validation": _validation,
    "dry_run": nothing,
    "forward": nothing,
    "verify": _verify,
    "security": _security,
    "contract": _contract,
    "api": _api,
    "rollback": _rollback,
    "cleanup": _cleanup,
    "resume": nothing,
    "crash": nothing,
    "live": _rollback,
    "acceptance": _acceptance,
    "maintenance": _maintenance,
    "webhooks": _webhooks,
    "benchmark": nothing,
    "artifacts": _artifacts,
    "people": _people,
}
"""The suites of a plan, in the order in which they are told."""
OF_OTHERS: Final[Mapping[str, str]] = {
    "validation": "a {kind} has no checks of the rows before: those are a plan's",
    "dry_run": "",
    "forward": "",
    "verify": "a {kind} has no checks of the rows after: those are a plan's",
    "security": "a {kind} has no checks/security.toml: that is a plan's",
    "contract": "what old clients ask is tried on the steps of a plan",
    "api": "the API of a schema is looked at before and after a plan",
    "rollback": "",
    "cleanup": "a {kind} has no clean-up",
    "resume": "a {kind} has no checkpoints of ours; that it can be run again is tried by crash",
    "crash": "",
    "live": "clients are sent to the steps of a plan: those of a command are not ours to spread",
    "acceptance": "workflows are walked through at the steps of a plan",
    "maintenance": "a command's migration does not turn maintenance on",
    "webhooks": "webhooks are followed over the steps of a plan and back",
    "benchmark": "",
    "artifacts": "",
    "people": "mails tell of the run that the ledger of a plan knows",
}
"""The suites of a subject that is not a plan: empty, or why one does not apply."""
NO_ARTIFACTS: Final = "the project names no artifacts and no overlay"
NO_WAY_BACK: Final = "the subject has no way back"
NO_DOWN: Final = f"{NO_WAY_BACK}: there is no subject.down"


def shipped_for(plan: Plan | None, project: Project | None) -> tuple[Shipped, ...]:
    """Every shipped suite for a plan, or for a project whose subject is another."""
    if plan is not None:
        ours = [Shipped(name, _file(name), lacks(plan, project)) for name, lacks in OF_PLAN.items()]
        return (*ours, *_registered(plan, project))
    kind = project.kind if project is not None else "command"
    lacking = {name: why.format(kind=kind) for name, why in OF_OTHERS.items()}
    if project is None or "back" not in foreign_subject(project).has:
        lacking["rollback"] = NO_DOWN if kind == "command" else NO_WAY_BACK
    lacking["artifacts"] = _artifacts(None, project)
    ours = [Shipped(name, _file(f"command/{name}"), why) for name, why in lacking.items()]
    return (*ours, *_registered(None, project))


def _file(name: str) -> Path:
    return home() / f"{name}.py"


def _registered(plan: Plan | None, project: Project | None) -> Iterator[Shipped]:
    """The suites of other packages."""
    for suite in list_registered(frozenset(OF_PLAN)):
        yield Shipped(suite.kind.name, suite.path, suite.kind.lacks(plan, project))


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
    """A file below the root as seen from there; one of an installed package by its own name."""
    path = Path(path)
    if path.is_relative_to(home()):
        return f"{HOME}/{path.relative_to(home()).as_posix()}"
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else module_path(path)
