"""The plan changed between two runs: edited, reordered, longer or shorter. Refused by name."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from harness.crash.domain.tampered.ledger import directions
from harness.crash.domain.tampered.outcome import attempt
from harness.crash.domain.tampered.placement import PlacedDatabase, StepPlace
from harness.crash.model import Point
from harness.crash.run.cursor import RunCursor
from harness.crash.run.outcome import FaultOutcome
from harness.fault import tamper
from harness.plan import Plan, Script, Step, load


@dataclass(frozen=True)
class FileTampering:
    """What is done to which file; `name` is the file's path below the plan's root."""

    name: str
    fault: str


def changes(cursor: RunCursor, place: StepPlace) -> list[FileTampering]:
    """For each kind of step, done and to be done, both files; then the order and the number."""
    at = cursor.steps.index(place.step)
    found: dict[FileTampering, None] = {}
    for steps in (cursor.steps[:at], cursor.steps[at:]):
        chosen = {step.forward.kind: step for step in map(cursor.ground.plan.step, steps)}
        for step in chosen.values():
            for script in (step.forward, step.rollback):
                found[FileTampering(script.name, "edited")] = None
        for step in chosen.values():
            if _sisters(cursor.ground.plan, step):
                found[FileTampering(step.forward.name, "swapped")] = None
                found[FileTampering(step.forward.name, "removed")] = None
            found[FileTampering(step.forward.name, "followed")] = None
    found[FileTampering(cursor.ground.plan.path.name, "edited")] = None
    return list(found)


def boundary(change: FileTampering) -> str:
    """A change's file as a point's boundary."""
    return quote(change.name, safe="/.")


def strike(stand: PlacedDatabase, point: Point) -> FaultOutcome:
    """Change a copy of the plan, and run on with it in every direction that is open."""
    scene = stand.scene
    kept = scene.ground.plan
    with _copied(kept) as plan:
        names = CHANGES[point.fault](plan, unquote(point.boundary))
        changed = load(plan.path)
        subject = scene.ground.with_plan(changed).sweeping()
        outcomes = []
        with stand.copy() as dsn:  # a refusal leaves it as it was, so one copy is enough
            for direction in directions(scene.ground, point.direction):
                outcomes.append(
                    attempt(
                        scene.ground,
                        scene.cursor.server_dsn,
                        direction,
                        dsn,
                        names="|".join(map(re.escape, names)),
                        kept=stand.fingerprint,
                        plan=subject,
                        must_refuse=True,
                    )
                )
                if not outcomes[-1].refused:
                    break
    state, bad = stand.judged
    reasons = [reason for outcome in outcomes for reason in outcome.reasons]
    came = "; ".join(outcome.evidence for outcome in outcomes)
    return FaultOutcome(changed.hash != kept.hash, came, (*reasons, *bad), state)


@contextmanager
def _copied(plan: Plan) -> Iterator[Plan]:
    """The plan, loaded from a copy of its directory that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="harness-plan-") as directory:
        root = Path(directory) / "plan"
        shutil.copytree(plan.root, root)
        yield load(root / plan.path.name)


def _step_of(plan: Plan, name: str) -> Step:
    return next(s for s in plan.steps if name in (s.forward.name, s.rollback.name))


def _sisters(plan: Plan, step: Step) -> list[Step]:
    """The other steps of a step's phase, the nearest first."""
    phase = next(phase for phase in plan.phases if phase.id == step.phase)
    others = [other for other in phase.steps if other.id != step.id]
    return sorted(others, key=lambda other: abs(other.number - step.number))


def _scripts(step: Step) -> tuple[Script, Script]:
    return step.forward, step.rollback


def _edited(plan: Plan, name: str) -> list[str]:
    if name == plan.path.name:
        text = plan.path.read_text("utf-8")
        version = f'version = "{plan.version}"'
        assert version in text, "a plan says its version so"
        plan.path.write_text(text.replace(version, 'version = "tampered"', 1), "utf-8")
    else:
        tamper.edit(plan.root / name)
    return [name]


def _swapped(plan: Plan, name: str) -> list[str]:
    """The step and the one next to it change places; the names of what is no longer there."""
    step = _step_of(plan, name)
    sister = _sisters(plan, step)[0]
    for one, other in zip(_scripts(step), _scripts(sister), strict=True):
        tamper.swap_numbers(one.path, other.path)
    return [script.name for script in (*_scripts(step), *_scripts(sister))]


def _removed(plan: Plan, name: str) -> list[str]:
    step = _step_of(plan, name)
    for script in _scripts(step):
        script.path.unlink()
    return [script.name for script in _scripts(step)]


def _followed(plan: Plan, name: str) -> list[str]:
    """A new step right after this one."""
    step = _step_of(plan, name)
    number = step.number + 1
    directory = step.forward.path.parent
    new = []
    for direction in ("forward", "rollback"):
        path = directory / f"{number:03d}_slipped_in.{direction}.sql"
        path.write_text("-- nothing: somebody slipped it in\n", "utf-8")
        new.append(path.relative_to(plan.root).as_posix())
    return new


CHANGES: dict[str, Callable[[Plan, str], list[str]]] = {
    "edited": _edited,
    "swapped": _swapped,
    "removed": _removed,
    "followed": _followed,
}
