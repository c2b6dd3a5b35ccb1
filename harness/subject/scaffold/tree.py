"""What kind of tree a directory holds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from harness.core.errors import UsageError
from harness.subject.project_search import recognise_plan, shown

PLAN: Final = "plan"


@dataclass(frozen=True)
class Tree:
    """A tree of migrations: its kind, its plan if it has one, or its commands."""

    kind: str
    plan: Path | None = None
    up: str | None = None
    down: str | None = None
    probe: str | None = None
    packages: tuple[str, ...] = ()

    @property
    def subject_kind(self) -> str:
        """The kind of subject that it is run as."""
        return PLAN if self.kind == PLAN else "command"


@dataclass(frozen=True)
class _Known:
    kind: str
    file: str
    up: str
    down: str | None = None
    probe: str | None = None
    packages: tuple[str, ...] = ()

    def tree(self) -> Tree:
        return Tree(self.kind, None, self.up, self.down, self.probe, tuple(self.packages))


def kinds() -> tuple[str, ...]:
    """The kinds of trees that can be told."""
    return (PLAN, *(known.kind for known in _known()))


def recognise_tree(root: Path, kind: str | None) -> Tree:
    """The tree of a directory; a plan that is still to be written where there is none.

    With `kind` it must be of that kind: UsageError says what was found in its place, or missing.
    """
    plan = recognise_plan(root)
    if kind in (None, PLAN) and plan is not None:
        return Tree(PLAN, plan=plan)
    found = [known for known in _known() if (root / known.file).is_file()]
    if kind is None:
        return found[0].tree() if found else Tree(PLAN)
    if kind == PLAN:
        return Tree(PLAN)
    for known in found:
        if known.kind == kind:
            return known.tree()
    (wanted,) = (known.file for known in _known() if known.kind == kind)
    raise UsageError(
        f"there is no {wanted} here, as a tree of kind {kind} has",
        where=str(shown(root)),
        hint="run harness init in its directory, or leave --from out",
    )


@cache
def _known() -> tuple[_Known, ...]:
    text = Path(__file__).with_name("trees.toml").read_text("utf-8")
    return tuple(_Known(**one) for one in tomllib.loads(text)["tree"])
