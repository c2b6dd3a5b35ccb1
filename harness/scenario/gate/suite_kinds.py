"""Suites that other packages ship, by entry points of the group `harness.suites`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from harness.core.plugins import load_plugins, unusable_plugin
from harness.plan import Plan
from harness.subject.project import Project

GROUP: Final = "harness.suites"

Lacks = Callable[[Plan | None, Project | None], str]
"""What a plan, or without one the project of another subject, lacks for a suite to apply to it;
empty when it applies."""


def lack_nothing(_plan: Plan | None, _project: Project | None) -> str:
    """Of a suite that applies to every subject."""
    return ""


@dataclass(frozen=True)
class SuiteKind:
    """A suite of another package: the module that holds its tests, and when it applies.

    The suite bears the name of the module, without its package and without `test_`. A gate runs
    the module's file, and a test module of a project that bears that name stands in its place.
    """

    module: str
    lacks: Lacks = lack_nothing

    @property
    def name(self) -> str:
        """As the verdict names it."""
        return self.module.rpartition(".")[2].removeprefix("test_")


@dataclass(frozen=True)
class RegisteredSuite:
    """A suite with the file of its module."""

    kind: SuiteKind
    path: Path


@cache
def list_registered(taken: Iterable[str]) -> tuple[RegisteredSuite, ...]:
    """Suites of other packages, besides those whose names are taken.

    Raises UsageError naming the package of one that is not usable.
    """
    found: dict[str, RegisteredSuite] = {}
    for point, kind in load_plugins(GROUP, SuiteKind):
        if kind.name in taken or kind.name in found:
            raise unusable_plugin(point, f"there is a suite {kind.name!r} already")
        path = _file_of(kind.module)
        if path is None:
            raise unusable_plugin(point, f"there is no file of a module {kind.module!r}")
        found[kind.name] = RegisteredSuite(kind, path)
    return tuple(found.values())


def _file_of(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # such as a package above it that is not there
        return None
    origin = Path(spec.origin) if spec is not None and spec.origin is not None else None
    return origin.resolve() if origin is not None and origin.suffix == ".py" else None


def module_path(path: Path) -> str:
    """A file of an installed package, named from the directory that holds the package."""
    above = path.parent
    while (above / "__init__.py").is_file():
        above = above.parent
    return path.relative_to(above).as_posix()
