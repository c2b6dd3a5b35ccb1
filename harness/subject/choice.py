"""Which subject a command takes, and who makes its rows."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.plan import Plan
from harness.subject.command import CommandSubject
from harness.subject.kinds import make_subject
from harness.subject.particulars import Particulars, load_particulars
from harness.subject.plan import PlanSubject
from harness.subject.project import Project, current_project, find_project
from harness.subject.protocol import LIMIT, Progress, Seeder, Subject


def default_plan(start: Path | None = None) -> Path:
    """The plan.toml of the project.

    Raises UsageError where there is neither a project nor a plan, or the subject is not a plan.
    """
    project = current_project(start)
    if project.kind != "plan":
        raise UsageError(
            f"the subject is of kind {project.kind}, and this command runs a plan",
            where=project.where("subject", "kind"),
            hint=f"crash, dry-run and gate take a {project.kind}; or name a plan with --plan",
        )
    return project.path


def is_default_plan(path: Path, root: Path) -> bool:
    """Whether a command that runs in `root` without --plan would take this plan."""
    project = find_project(root)
    return project is not None and project.path.resolve() == path.resolve()


def subject_of(plan: Plan, project: Project | None = None) -> PlanSubject:
    """The plan as a subject; who makes its rows is said by the project (default: the one here)."""
    return PlanSubject(plan, seeder_of(plan.name, project))


def seeder_of(name: str | None, project: Project | None = None, fresh: bool = False) -> Seeder:
    """Who makes the rows of the plan of that name; None: of the project's subject.

    With `fresh` rows are made only in a database that was just made.
    """
    project = project or find_project()
    found = particulars_of(name, project)
    return found.seeder or partial(fill_from_catalog, project=project, fresh=fresh)


def foreign_subject(project: Project, *, trusted: bool = False) -> Subject:
    """The subject of a project that is not a plan; `trusted` as the command line says it.

    Raises UsageError, with file and line, for one that cannot be run at all.
    """
    assert project.kind != "plan", "a plan is loaded from its file"
    if project.kind == "command":
        return command_of(project, trusted=trusted)
    return make_subject(project, trusted=trusted)


def command_of(project: Project, *, trusted: bool = False) -> CommandSubject:
    """The subject of a project of kind command; `trusted` as the command line says it.

    Raises UsageError, with file and line, for commands that cannot be run at all.
    """
    assert project.command is not None, "the project is of another kind"
    told = project.command
    made = CommandSubject(
        up=told.up,
        down=told.down,
        probe=told.probe,
        unlock=told.unlock,
        baseline=told.baseline,
        root=project.path,
        own_tables=told.bookkeeping,
        trusted=trusted,
        limit=told.limit or LIMIT,
        seeder=seeder_of(None, project),
    )
    made.refuse_unrunnable(lambda key: project.where("subject", key))
    return made


def catalog_rows() -> Seeder:
    """Who makes rows for any schema, whatever project is here."""
    return partial(fill_from_catalog, project=None)


def particulars_of(name: str | None, project: Project | None = None) -> Particulars:
    """What the project knows of the plan of that name; empty where it is not the project's plan.

    A copy of the project's plan, wherever it lies, has its name and is known as well as it is.
    """
    project = project or find_project()
    if project is None or (name is not None and name != _name(project)):
        return Particulars()
    return load_particulars(project)


def application_roles(plan: Plan, project: Project | None) -> tuple[str, ...]:
    """The roles of the application: those of the plan's [maintenance], else the project's."""
    return plan.maintenance.roles or (project.roles.application if project else ())


def fill_from_catalog(
    dsn: str,
    *,
    rows: int,
    seed: int,
    profile: str = "real",
    progress: Progress | None = None,
    project: Project | None = None,
    fresh: bool = False,
) -> Any:
    """Fill a database with rows made from its catalog, and as its project says.

    Raises PartlyFilled, with the rest filled, when a table cannot be.
    """
    from harness.database.catalog import OUR_SCHEMAS
    from harness.rows import PartlyFilled, fill_schema, read_overrides

    overrides = read_overrides(project.rows.tables, project.where) if project else {}
    accounts = project.command.bookkeeping if project and project.command else ()
    filled = fill_schema(
        dsn, rows=rows, seed=seed, profile=profile, overrides=overrides,
        without=(*OUR_SCHEMAS, *accounts), progress=progress, fresh=fresh,
    )  # fmt: skip
    if filled.unfilled:
        raise PartlyFilled(filled)
    return filled


def _name(project: Project) -> str | None:
    if project.kind != "plan":
        return None
    try:
        found = tomllib.loads(project.path.read_text("utf-8-sig")).get("name")
    except (OSError, ValueError):
        return None  # whoever loads the plan says what is wrong with it
    return found if isinstance(found, str) else None


@dataclass(frozen=True)
class MadeOf:
    """What the rows of a subject come from: the makers' files, and overrides of the catalog."""

    paths: tuple[Path, ...]
    overrides: str


def made_of(plan: Plan | None, project: Project | None = None) -> MadeOf:
    """What rows are made of, beside the harness itself, so that a change of it is seen.

    Of the plan, or without one of the project's subject.
    """
    project = project or find_project()
    found = particulars_of(plan.name if plan is not None else None, project)
    if project is None:
        return MadeOf((), "{}")
    paths = tuple(project.root / name for name in found.made_of)
    return MadeOf(paths, json.dumps(dict(project.rows.tables), sort_keys=True, default=str))
