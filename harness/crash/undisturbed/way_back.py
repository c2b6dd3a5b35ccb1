"""Where the undisturbed rollback leads: to what was before, or what each step leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness import runner
from harness.core.direction import Direction
from harness.crash import state
from harness.crash.golden_note import Note
from harness.crash.model import END
from harness.crash.setup import Setup
from harness.crash.undisturbed import courses
from harness.crash.undisturbed.courses import Course, Failed
from harness.database import admin, fingerprint, template
from harness.database.fingerprint import Difference, Fingerprint
from harness.plan import Step

SHOWN = 3


def explained(
    ground: Setup, plain: Course, server_dsn: str, back: Fingerprint | None
) -> tuple[Setup, tuple[Note, ...]]:
    """The ground with where the way back leads, if not to before; and what there is to say of it.

    A step that is declared irreversible is told, any other that leaves something behind is a
    failure, and so is a run that fails by itself: its direction is then not explored. `back` is
    the fingerprint of the end, if there is one.
    """
    notes = [_failure(ground, failed) for failed in plain.failed]
    lost = {failed.direction for failed in plain.failed}
    ground = replace(
        ground,
        directions=tuple(way for way in ground.directions if way not in lost),
        returns="rollback" not in lost,
    )
    before = ground.before
    if not ground.resumes:
        return _whole(ground, back, notes)
    if before is None or back is None:
        return ground, tuple(notes)
    ends = [admin.with_dbname(server_dsn, plain.ends[end]) for end in ("before", "back")]
    if ground.omit:  # of one database: nothing differs by itself in it
        before, back = (fingerprint.take(dsn) for dsn in ends)
    if not _differing(before, back, ground):
        return ground, tuple(notes)
    source = plain.ends["before"]
    relations = before.relations.keys() & back.relations.keys()
    columns = fingerprint.differing_columns(ends[0], ends[1], relations)
    left = _left_behind(ground, server_dsn, source)

    def worded(found: Iterable[Difference]) -> str:
        return _few(
            [state.words_of(one, lambda name: list(columns.get(name, {}))) for one in found]
        )

    notes += _told(ground, {step: worded(found) for step, found in left.items()})
    if not left:
        whole = worded(_differing(before, back, ground).values())
        reason = f"the undisturbed rollback does not lead to what was before: {whole}"
        notes.append(Note("back", "failed", "rollback", END, reason))
    inexact = frozenset(left)
    backs = _backs(ground, server_dsn, source, inexact)
    return replace(ground, backs=backs, inexact=inexact), tuple(notes)


def _whole(
    ground: Setup, back: Fingerprint | None, notes: list[Note]
) -> tuple[Setup, tuple[Note, ...]]:
    """The same for a run that tells no steps: its way back leads to what was before, or nowhere."""
    if back is None or ground.before is None:
        return replace(ground, returns=False), tuple(notes)
    found = _differing(ground.before, back, ground).values()
    if not found:
        return ground, tuple(notes)
    left = _few([state.words_of(one) for one in found])
    reason = f"the undisturbed rollback does not lead to what was before: {left}"
    ways = tuple(way for way in ground.directions if way != "rollback")
    note = Note("back", "failed", "rollback", END, reason)
    return replace(ground, directions=ways, returns=False), (*notes, note)


def _failure(ground: Setup, failed: Failed) -> Note:
    what = "clean-up" if failed.direction == "cleanup" else "rollback"
    return Note(
        what, "failed", failed.direction, failed.step,
        f"the undisturbed {what} fails, so nothing of it is struck: {failed.error}",
        _file(ground, failed.direction, failed.step),
    )  # fmt: skip


def _told(ground: Setup, left: dict[str, str]) -> Iterator[Note]:
    """A note for each step that leaves something behind, with what that is."""
    steps = {step.id: step for step in ground.plan.steps}
    for name, seen in left.items():
        file = steps[name].rollback.name
        if steps[name].irreversible is not None:
            yield Note("back", "info", "rollback", name, _declared(steps[name], seen), file)
        else:
            reason = f"the undisturbed rollback does not undo this step: {seen}"
            yield Note("back", "failed", "rollback", name, reason, file)


def _declared(step: Step, seen: str) -> str:
    stays = f"; it says that this stays: {step.rollback.stays}" if step.rollback.stays else ""
    return f"irreversible, as declared ({step.irreversible}){stays}; seen: {seen}"


def _few(differences: list[str]) -> str:
    more = len(differences) - SHOWN
    text = "; ".join(differences[:SHOWN])
    return f"{text}; and {more} more differences" if more > 0 else text


def _differing(
    one: Fingerprint, other: Fingerprint, ground: Setup
) -> dict[tuple[str, str, str], Difference]:
    """What differs, by kind, object and attribute; numbers that were drawn are no difference."""
    return {
        (each.kind, each.object, each.attribute): each
        for each in fingerprint.compare(one, other)
        if not state.is_gap(each, ground.drawn)
    }


def _left_behind(ground: Setup, server_dsn: str, source: str) -> dict[str, list[Difference]]:
    """Step -> what differs behind its undoing and did not before it; both ways are looked at."""
    dsn = template.clone(server_dsn, source)
    try:
        there = _walked(ground, "forward", dsn)
        back = _walked(ground, "rollback", dsn)
    finally:
        admin.drop(server_dsn, admin.dbname(dsn))
    steps = [step.id for step in ground.plan.steps]
    found: dict[str, list[Difference]] = {}
    known = set(_differing(there[steps[-1]], there[steps[-1]], ground))
    for number, step in reversed(list(enumerate(steps))):
        before = there[steps[number - 1]] if number else there[""]
        now = _differing(before, back[step], ground)
        new = [each for key, each in now.items() if key not in known]
        if new:
            found[step] = new
        known = set(now)
    return {step: found[step] for step in steps if step in found}


def _walked(ground: Setup, direction: Direction, dsn: str) -> dict[str, Fingerprint]:
    """What the database is behind each step of a run, and at its beginning."""
    found = {"": fingerprint.take(dsn, workers=1)}

    def listen(event: runner.Event) -> None:
        if event.kind == "step_done":
            found[str(event.step)] = fingerprint.take(dsn, workers=1)

    courses.run_on(ground, direction, dsn, listen)
    return found


def _backs(
    ground: Setup, server_dsn: str, source: str, inexact: frozenset[str]
) -> tuple[Fingerprint, ...]:
    """Where the way back leads, by the number of steps that were done."""
    assert ground.before is not None
    found = [ground.before]
    for step in ground.plan.steps:
        found.append(
            found[-1] if step.id not in inexact else _back(ground, server_dsn, source, step)
        )
    if not inexact:  # no step alone explains it: what is left is left by all of them
        found[-1] = _back(ground, server_dsn, source, ground.plan.steps[-1])
    return tuple(found)


def _back(ground: Setup, server_dsn: str, source: str, last: Step) -> Fingerprint:
    """What is there when the steps up to one were done and undone."""
    dsn = template.clone(server_dsn, source)
    try:
        runner.migrate(dsn, ground.sweeping(), until=last.id)
        runner.rollback(dsn, ground.sweeping())
        return ground.identity(dsn)
    finally:
        admin.drop(server_dsn, admin.dbname(dsn))


def _file(ground: Setup, direction: Direction, step: str) -> str:
    """The file that a run in a direction takes for a step, below the plan's directory."""
    if not ground.resumes:
        return ""
    if direction == "cleanup":
        names = {s.name.removesuffix(".sql"): s.name for s in ground.plan.cleanup}
        return names.get(step, "")
    scripts = {one.id: getattr(one, direction).name for one in ground.plan.steps}
    return str(scripts.get(step, ""))
