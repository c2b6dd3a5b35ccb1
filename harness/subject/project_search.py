"""Where a project file or a plan is: from a directory upward, to the root of the repository."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError

FILES = ("harness.toml", "pyproject.toml")
PLANS = ("plan.toml", "sql/plan.toml")
"""Where a plan is recognised, below the root of a project."""


def find_project_file(start: Path) -> Path | None:
    """The nearest project file, from a directory upward; UsageError where two are side by side."""
    return next(filter(None, map(_project_file, upward(start.resolve()))), None)


def repository_root(start: Path) -> Path:
    """The root of the repository that a directory lies in; without one, the directory."""
    top = upward(start.resolve())[-1]
    return top if (top / ".git").exists() else start.resolve()


def recognise_plan(directory: Path) -> Path | None:
    """The plan.toml of a directory, where there is one."""
    return next((directory / name for name in PLANS if (directory / name).is_file()), None)


def upward(start: Path) -> list[Path]:
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
        _, document = read_document(file)
    except UsageError:
        # what is wrong in a file that is not about us is for others to say
        return b"tool.harness" in file.read_bytes()
    tool = document.get("tool")
    return isinstance(tool, dict) and "harness" in tool


def read_document(file: Path) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file and what it says; UsageError where it is none, with the line."""
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
    except RecursionError:
        raise UsageError("is not valid TOML: nested too deeply", where=str(shown(file))) from None


def shown(path: Path) -> Path:
    """A path as people read it: from the working directory where it is below it."""
    whole, here = path.resolve(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else path
