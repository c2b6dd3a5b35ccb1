"""The project: what its file says, or what its directory holds.

The file is `[tool.harness]` in pyproject.toml, or the same keys in harness.toml. It is looked for
from a directory upward, as far as the root of the repository. Without one, a plan is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.plan.reader import seconds
from harness.subject.kinds import BUILT_IN
from harness.subject.project_keys import BadKeyError, check_keys, own_keys
from harness.subject.project_search import (
    PLANS,
    find_project_file,
    read_document,
    recognise_plan,
    shown,
    upward,
)
from harness.subject.toml_lines import line_of


@dataclass(frozen=True)
class CommandSettings:
    """The command lines of a subject of kind command, and what belongs to them."""

    up: str
    down: str | None = None
    probe: str | None = None
    unlock: str | None = None
    baseline: tuple[Path, ...] = ()
    bookkeeping: tuple[str, ...] = ()
    limit: float | None = None


@dataclass(frozen=True)
class RowSettings:
    """How many rows are made, from which seed; `tables` overrides what a catalog cannot explain."""

    count: int | None = None
    seed: int | None = None
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Roles:
    """Database roles: whose waits, rights and sessions are looked at."""

    application: tuple[str, ...] = ()
    anonymous: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuiteSettings:
    """The directory of a project's own suites, and the suites that it asks for by name."""

    path: Path | None = None
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class BenchmarkSettings:
    """What of the cost after the migration is accepted: reasons by query, table or index."""

    accept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """A project: its root, its subject, rows, roles and suites.

    `file` is None where there is none and the plan was recognised. `path` is where the subject is:
    a plan's plan.toml, or a command's working directory. `own` are the values of the keys that only
    a kind of another package has.
    """

    root: Path
    file: Path | None
    kind: str
    path: Path
    object: str | None = None
    command: CommandSettings | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    rows: RowSettings = RowSettings()
    roles: Roles = Roles()
    suites: SuiteSettings = SuiteSettings()
    benchmark: BenchmarkSettings = BenchmarkSettings()

    def where(self, *path: str) -> str:
        """File and line of a key, such as ("rows", "tables", "shop.orders")."""
        if self.file is None:
            return str(self.root)
        return _where(self.file, self.file.read_text("utf-8-sig"), path)


def find_project(start: Path | None = None) -> Project | None:
    """The project that a directory (default: the working directory) belongs to.

    None where there is neither a project file nor a plan. Raises UsageError with file and line for
    what is wrong in the project file.
    """
    here = (start or Path.cwd()).resolve()
    file = find_project_file(here)
    if file is not None:
        return read_project(file)
    for directory in upward(here):
        found = recognise_plan(directory)
        if found is not None:
            return Project(root=directory, file=None, kind="plan", path=found)
    return None


def current_project(start: Path | None = None) -> Project:
    """Like find_project; raises UsageError where there is nothing to migrate."""
    found = find_project(start)
    if found is None:
        raise UsageError(
            f"there is neither a project file nor a plan ({' or '.join(PLANS)}) here",
            where=str((start or Path.cwd()).resolve()),
            hint="write them with harness init, or name a plan with --plan",
        )
    return found


def read_project(file: Path, *, complete: bool = True) -> Project:
    """The project that a file describes; UsageError names file, line and reason.

    With `complete` False what it names may still be written.
    """
    text, document = read_document(file)
    try:
        settings = _settings(file, document)
        check_keys(settings)
        return _project(file.absolute(), settings, _Paths(file.absolute().parent, complete))
    except BadKeyError as flaw:
        where = _where(file, text, flaw.path)
        raise UsageError(flaw.message, where=where, hint=flaw.hint) from None


def _settings(file: Path, document: dict[str, Any]) -> dict[str, Any]:
    found = document if file.name == "harness.toml" else document.get("tool", {}).get("harness")
    if not isinstance(found, dict):
        raise BadKeyError("[tool.harness] must be a table", ())
    listed = found.get("suites")
    return found | {"suites": {"required": listed}} if isinstance(listed, list) else found


def _where(file: Path, text: str, path: Sequence[str]) -> str:
    above = () if file.name == "harness.toml" else ("tool", "harness")
    return f"{shown(file)}:{line_of(text, (*above, *path))}"


@dataclass(frozen=True)
class _Paths:
    """Finds what the file names, from its directory; BadKeyError for what must be there."""

    root: Path
    complete: bool

    def find(self, name: str, *key: str) -> Path:
        found = self.root / name
        if self.complete and not _is_there(found):
            raise BadKeyError(f"{'.'.join(key)}: there is no {name!r}", key)
        return found

    def find_subject(self, kind: str, subject: dict[str, Any]) -> Path:
        if kind not in BUILT_IN:
            return self.find(subject.get("path", "."), "subject", "path")
        return self.find_plan(subject) if kind == "plan" else self.find_directory(subject)

    def find_plan(self, subject: dict[str, Any]) -> Path:
        if "path" not in subject:
            return self._recognise()
        found = self.find(subject["path"], "subject", "path")
        found = found / "plan.toml" if found.is_dir() else found
        if self.complete and not found.is_file():
            raise BadKeyError(f"there is no plan at {subject['path']!r}", ("subject", "path"))
        return found

    def _recognise(self) -> Path:
        recognised = recognise_plan(self.root)
        if recognised is None and self.complete:
            hint = "write one, or say subject.path"
            raise BadKeyError(f"there is no plan here: {' or '.join(PLANS)}", ("subject",), hint)
        return recognised or self.root / PLANS[-1]

    def find_directory(self, subject: dict[str, Any]) -> Path:
        found = self.find(subject.get("path", "."), "subject", "path")
        if self.complete and not found.is_dir():
            raise BadKeyError(f"{subject['path']!r} is not a directory", ("subject", "path"))
        return found


def _project(file: Path, settings: dict[str, Any], paths: _Paths) -> Project:
    subject, rows = settings.get("subject", {}), settings.get("rows", {})
    roles, suites = settings.get("roles", {}), settings.get("suites", {})
    kind = subject.get("kind", "plan")
    return Project(
        root=paths.root,
        file=file,
        kind=kind,
        path=paths.find_subject(kind, subject),
        object=subject.get("object"),
        command=_command(paths, subject) if kind == "command" else None,
        own={key: subject[key] for key in own_keys(subject) if key in subject},
        rows=RowSettings(rows.get("count"), rows.get("seed"), rows.get("tables", {})),
        roles=Roles(*(_tuple(roles.get(key)) for key in ("application", "anonymous"))),
        suites=SuiteSettings(
            paths.find(suites["path"], "suites", "path") if "path" in suites else None,
            _tuple(suites.get("required")),
        ),
        benchmark=BenchmarkSettings(settings.get("benchmark", {}).get("accept", {})),
    )


def _command(paths: _Paths, subject: dict[str, Any]) -> CommandSettings:
    files = _tuple(subject.get("baseline"))
    return CommandSettings(
        up=subject["up"],
        down=subject.get("down"),
        probe=subject.get("probe"),
        unlock=subject.get("unlock"),
        baseline=tuple(paths.find(file, "subject", "baseline") for file in files),
        bookkeeping=_tuple(subject.get("bookkeeping")),
        limit=seconds("limit", subject["limit"], "subject") if "limit" in subject else None,
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long for the file system
        return False


def _tuple(value: str | list[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
