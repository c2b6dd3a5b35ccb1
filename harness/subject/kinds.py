"""The kinds of subject that a project file may name: ours, and those of entry points.

An entry point of the group `harness.subjects` names a `SubjectKind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, Final

from harness.core.errors import HarnessError
from harness.core.plugins import load_plugins, unusable_plugin

if TYPE_CHECKING:
    from harness.subject.project import Project
    from harness.subject.protocol import Subject

GROUP: Final = "harness.subjects"
BUILT_IN: Final = ("plan", "command")

Shape = Callable[[Any], str | None]
"""Says what a value should have been; None where it is that."""


@dataclass(frozen=True)
class SubjectKind:
    """A kind of subject: its name, its own keys of [subject], and who makes one of it.

    `make` gets the project, whose `path` is `subject.path` (default: the root), and whose `own` are
    the values of `keys`; and whether the subject may run where nothing keeps it from other
    databases. It raises UsageError, with `project.where("subject", key)`, for one that cannot be
    run at all. What it makes is pickled and sent to worker processes.
    """

    name: str
    make: Callable[[Project, bool], Subject]
    keys: Mapping[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()


@cache
def list_registered() -> Mapping[str, tuple[EntryPoint, SubjectKind]]:
    """Kinds of other packages by name; UsageError names the package of one that is not usable."""
    found: dict[str, tuple[EntryPoint, SubjectKind]] = {}
    for point, kind in load_plugins(GROUP, SubjectKind):
        if kind.name in BUILT_IN or kind.name in found:
            raise unusable_plugin(point, f"there is a kind of subject {kind.name!r} already")
        found[kind.name] = point, kind
    return found


def list_names() -> tuple[str, ...]:
    """The names of every kind, ours first."""
    return (*BUILT_IN, *list_registered())


def find_kind(name: Any) -> SubjectKind | None:
    """The registered kind of that name; None for one of ours, and for what nobody registered."""
    if name in BUILT_IN or not isinstance(name, str):
        return None
    found = list_registered().get(name)
    return found[1] if found else None


def make_subject(project: Project, *, trusted: bool) -> Subject:
    """The subject of a project whose kind another package has registered.

    Raises what the package says of the project; any other failure as UsageError that names it.
    """
    point, kind = list_registered()[project.kind]
    try:
        return kind.make(project, trusted)
    except HarnessError:
        raise
    except Exception as error:  # whatever another package's code may raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise unusable_plugin(point, f"it makes no subject of this project: {reason}") from error
