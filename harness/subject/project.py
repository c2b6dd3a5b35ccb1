"""The project: what its file says, or what its directory holds.

The file is `[tool.harness]` in pyproject.toml, or the same keys in harness.toml. It is looked for
from a directory upward, as far as the root of the repository. Without one, a plan is recognised.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.subject.project_keys import BadKeyError, check_keys
from harness.subject.toml_lines import line_of

FILES = ("harness.toml", "pyproject.toml")
PLANS = ("plan.toml", "sql/plan.toml")
"""Where a plan is recognised, below the root of a project."""


@dataclass(frozen=True)
class CommandSettings:
    """The command lines of a subject of kind command, and what belongs to them."""

    up: str
    down: str | None = None
    probe: str | None = None
    unlock: str | None = None
    baseline: tuple[Path, ...] = ()
    bookkeeping: tuple[str, ...] = ()


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
class Project:
    """A project: its root, its subject, rows, roles and suites.

    `file` is None where there is none and the plan was recognised. `path` is where the subject is:
    a plan's plan.toml, or a command's working directory.
    """

    root: Path
    file: Path | None
    kind: str
    path: Path
    since: str | None = None
    object: str | None = None
    command: CommandSettings | None = None
    rows: RowSettings = RowSettings()
    roles: Roles = Roles()
    suites: SuiteSettings = SuiteSettings()

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
    for directory in _upward(here):
        file = _project_file(directory)
        if file is not None:
            return read_project(file)
    for directory in _upward(here):
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


def recognise_plan(directory: Path) -> Path | None:
    """The plan.toml of a directory, where there is one."""
    return next((directory / name for name in PLANS if (directory / name).is_file()), None)


def read_project(file: Path) -> Project:
    """The project that a file describes; UsageError names file, line and reason."""
    text, document = _document(file)
    try:
        settings = _settings(file, document)
        check_keys(settings)
        return _project(file.resolve(), settings)
    except BadKeyError as flaw:
        where = _where(file, text, flaw.path)
        raise UsageError(flaw.message, where=where, hint=flaw.hint) from None


def _upward(start: Path) -> list[Path]:
    """The directory and those above it, as far as the root of the repository."""
    found = []
    for directory in (start, *start.parents):
        found.append(directory)
        if (directory / ".git").exists():
            break
    return found


def _project_file(directory: Path) -> Path | None:
    """The project file in a directory; UsageError where there are two."""
    found = [file for name in FILES if _speaks_of_us(file := directory / name)]
    if len(found) == 2:
        raise UsageError(
            "harness.toml and [tool.harness] in pyproject.toml are both here",
            where=str(directory),
            hint="keep one of them: they hold the same keys",
        )
    return found[0] if found else None


def _speaks_of_us(file: Path) -> bool:
    if file.name == "harness.toml" or not file.is_file():
        return file.is_file()
    try:
        _, document = _document(file)
    except UsageError:
        # what is wrong in a file that is not about us is for others to say
        return b"tool.harness" in file.read_bytes()
    tool = document.get("tool")
    return isinstance(tool, dict) and "harness" in tool


def _document(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(shown(file))) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError("is not valid UTF-8", where=f"{shown(file)}:{line}") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        where = f"{shown(file)}:{place[1] if place else text.count(chr(10)) + 1}"
        raise UsageError(f"is not valid TOML: {error}", where=where) from None


def _settings(file: Path, document: dict[str, Any]) -> dict[str, Any]:
    found = document if file.name == "harness.toml" else document.get("tool", {}).get("harness")
    if not isinstance(found, dict):
        raise BadKeyError("[tool.harness] must be a table", ())
    listed = found.get("suites")
    return found | {"suites": {"required": listed}} if isinstance(listed, list) else found


def _where(file: Path, text: str, path: Sequence[str]) -> str:
    above = () if file.name == "harness.toml" else ("tool", "harness")
    return f"{shown(file)}:{line_of(text, (*above, *path))}"


def shown(path: Path) -> Path:
    """A path as people read it: from the working directory where it is below it."""
    whole, here = path.resolve(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else path


def _project(file: Path, settings: dict[str, Any]) -> Project:
    root = file.parent
    subject, rows = settings.get("subject", {}), settings.get("rows", {})
    roles, suites = settings.get("roles", {}), settings.get("suites", {})
    kind = subject.get("kind", "plan")
    return Project(
        root=root,
        file=file,
        kind=kind,
        path=_plan(root, subject) if kind == "plan" else _directory(root, subject),
        since=subject.get("since"),
        object=subject.get("object"),
        command=_command(root, subject) if kind == "command" else None,
        rows=RowSettings(rows.get("count"), rows.get("seed"), rows.get("tables", {})),
        roles=Roles(*(_tuple(roles.get(key)) for key in ("application", "anonymous"))),
        suites=SuiteSettings(
            _there(root, suites["path"], "suites", "path") if "path" in suites else None,
            _tuple(suites.get("required")),
        ),
    )


def _plan(root: Path, subject: dict[str, Any]) -> Path:
    if "path" in subject:
        found = _there(root, subject["path"], "subject", "path")
        found = found / "plan.toml" if found.is_dir() else found
        if not found.is_file():
            raise BadKeyError(f"there is no plan at {subject['path']!r}", ("subject", "path"))
        return found
    recognised = recognise_plan(root)
    if recognised is None:
        hint = "write one, or say subject.path"
        raise BadKeyError(f"there is no plan here: {' or '.join(PLANS)}", ("subject",), hint)
    return recognised


def _directory(root: Path, subject: dict[str, Any]) -> Path:
    found = _there(root, subject["path"], "subject", "path") if "path" in subject else root
    if not found.is_dir():
        raise BadKeyError(f"{subject['path']!r} is not a directory", ("subject", "path"))
    return found


def _command(root: Path, subject: dict[str, Any]) -> CommandSettings:
    files = _tuple(subject.get("baseline"))
    return CommandSettings(
        up=subject["up"],
        down=subject.get("down"),
        probe=subject.get("probe"),
        unlock=subject.get("unlock"),
        baseline=tuple(_there(root, file, "subject", "baseline") for file in files),
        bookkeeping=_tuple(subject.get("bookkeeping")),
    )


def _there(root: Path, name: str, *key: str) -> Path:
    """The path that a text names, taken from the root; BadKeyError where there is nothing."""
    found = root / name
    if not found.exists():
        raise BadKeyError(f"{'.'.join(key)}: there is no {name!r}", key)
    return found


def _tuple(value: str | list[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
