"""Defects put back by hand: each is a patch over the plan's directory, applied to a copy of it.

A patch says which gap it opens again, what a finding must say, which stages of the judge look (the
first ones if it does not say), and its edits: `old` stands exactly
once in `file` and gives way to `new`, or `append` comes after the file's end.
"""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core.direction import StepDirection
from harness.core.errors import UsageError
from harness.plan import Plan, load

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Patch:
    """One defect; `says` are the words that one finding must hold."""

    name: str
    gap: str
    title: str
    says: tuple[str, ...]
    edits: tuple[dict[str, str], ...]
    stages: tuple[str, ...] = ()

    @property
    def direction(self) -> StepDirection:
        """Rollback, when the way there is what it was."""
        forward = [edit for edit in self.edits if ".forward." in edit["file"]]
        return "forward" if forward else "rollback"

    def step(self, plan: Plan) -> str | None:
        """The first step that the patch changes."""
        files = {edit["file"] for edit in self.edits}
        for step in plan.steps:
            if files & {step.forward.name, step.rollback.name}:
                return step.id
        return None


def every() -> tuple[Patch, ...]:
    """Every patch, by name."""
    return tuple(read(path) for path in sorted(HERE.glob("*.toml")))


def read(path: Path) -> Patch:
    """The patch of a file."""
    data = tomllib.loads(path.read_text("utf-8"))
    says, edits, stages = data["says"], data["edit"], data.get("stages", ())
    return Patch(path.stem, data["gap"], data["title"], tuple(says), tuple(edits), tuple(stages))


def applied(plan: Plan, patch: Patch, root: Path) -> Plan:
    """The plan with the defect, copied to `root`; UsageError when the patch does not fit it.

    It bears the hashes of the plan, so that it goes on where that one was left.
    """
    shutil.copytree(plan.root, root)
    for edit in patch.edits:
        path = root / edit["file"]
        path.write_text(_edited(path.read_text("utf-8"), edit, patch, path), "utf-8")
    broken = load(root / plan.path.name)
    phases = tuple(
        replace(
            phase,
            steps=tuple(
                replace(
                    step,
                    forward=replace(step.forward, sha256=plan.step(step.id).forward.sha256),
                    rollback=replace(step.rollback, sha256=plan.step(step.id).rollback.sha256),
                )
                for step in phase.steps
            ),
        )
        for phase in broken.phases
    )
    return replace(broken, phases=phases)


def _edited(text: str, edit: dict[str, str], patch: Patch, path: Path) -> str:
    if "append" in edit:
        return text + edit["append"]
    found = text.count(edit["old"])
    if found != 1:
        raise UsageError(
            f"patch {patch.name!r} fits {found} places, not one",
            where=str(path),
            hint="the script changed: write the patch anew",
        )
    return text.replace(edit["old"], edit["new"])
