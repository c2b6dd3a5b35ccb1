"""The wire domain: every message of the runs forward, back and resumed, struck in every way.

Each segment of the golden run, the messages between two commits, is explored from a clone of the
state at its beginning, by a runner that resumes there and sends the same messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from harness.scenario.crash.bench import Bench, bench
from harness.scenario.crash.cursor import Astray, Cursor
from harness.scenario.crash.golden import Beat, Segment, golden
from harness.scenario.crash.ground import Ground
from harness.scenario.crash.model import DIRECTIONS, END, Direction, Point, Row, Task
from harness.scenario.crash.wire_faults import FAULTS

RESUME = "(resume)"  # what a resuming runner sends before it goes on with a step
ACKED = "sigkill-acked"  # killed when it has heard that a commit was done
RACE = "race"
CLOSING = "closing"  # one message further than the run has: nothing fires, and the sweep is closed
CHUNK = 10  # segments that one task explores
RACE_EVERY = 5  # segments between two races: about every tenth message that matters
TAKEN_UP = {"transaction": (0,), "batch": (1,), "concurrent": (1, 2)}  # behind so many commits
IDLE = ("stall",)  # faults that mostly wait: tasks of their own, so that others use the time


@dataclass(frozen=True)
class Stretch:
    """Consecutive segments of a golden run, and what leads there: a task's share of it.

    `resumed` are the segments where the resuming runner's own messages are struck too, with those
    messages. Of the whole run: `last` is the number of its last segment, `final` that of the first
    one of its last step, `beyond` the message after its last.
    """

    direction: Direction
    segments: tuple[Segment, ...]
    resumed: dict[int, tuple[Beat, ...]]
    last: int
    final: int
    beyond: Beat


def tasks(ground: Ground) -> list[Task]:
    """Every point of the ground's directions, found in golden runs.

    On lean ground a direction is one task, and a resuming runner's own messages are left out.
    """
    with bench(ground) as place:
        found: list[Task] = []
        for direction in DIRECTIONS:
            if direction in ground.directions:
                found += _direction(ground, place, direction)
        return found


def _direction(ground: Ground, place: Bench, direction: Direction) -> list[Task]:
    cut = golden(ground, place, direction)
    resumed = {} if ground.lean else _resumed(ground, place, direction, cut)
    beyond = Beat(END, 1 + sum(len(segment.beats) for segment in cut), "X", "", 1, False)
    last_step = cut[-2].step if len(cut) > 1 else cut[-1].step
    final = next(segment.number for segment in cut if segment.step == last_step)
    found: list[Task] = []
    for share in [tuple(cut)] if ground.lean else _shares(cut):
        numbers = {segment.number for segment in share}
        prefixes = {number: beats for number, beats in resumed.items() if number in numbers}
        stretch = Stretch(direction, share, prefixes, len(cut) - 1, final, beyond)
        found += _tasks(stretch, IDLE if not ground.lean else ())
    return found


def _shares(cut: list[Segment]) -> list[tuple[Segment, ...]]:
    """The run in parts of about the same size, each beginning with a step of its own."""
    shares: list[list[Segment]] = [[]]
    for segment in cut:
        last = shares[-1]
        if len(last) >= CHUNK and last[-1].step != segment.step:
            shares.append([])
        shares[-1].append(segment)
    return [tuple(share) for share in shares]


def _tasks(stretch: Stretch, apart: tuple[str, ...]) -> list[Task]:
    """A stretch's points; those of faults that are kept apart in a task of their own."""
    points = [point for segment in stretch.segments for point in points_of(stretch, segment)]
    idle = tuple(point for point in points if point.fault in apart)
    busy = tuple(point for point in points if point.fault not in apart)
    extra = {"stretch": stretch}
    return [Task("wire", chosen, _seconds(chosen), extra) for chosen in (busy, idle) if chosen]


def _seconds(points: Iterable[Point]) -> float:
    """What points may cost."""
    return sum(FAULTS[p.fault].seconds if p.fault in FAULTS else 0.5 for p in points)


def points_of(stretch: Stretch, segment: Segment) -> list[Point]:
    """The points of one segment, in the order of its messages."""
    found: list[Point] = []
    for beat in (*stretch.resumed.get(segment.number, ()), *segment.beats):
        found += [
            Point("wire", stretch.direction, beat.step, beat.boundary, fault.name)
            for fault in FAULTS.values()
            if fault.at(beat)
        ]
        if beat.commits and beat.step != RESUME:
            found.append(Point("wire", stretch.direction, beat.step, beat.boundary, ACKED))
    if segment.number == stretch.last:
        beyond = stretch.beyond
        found.append(Point("wire", stretch.direction, beyond.step, beyond.boundary, CLOSING))
    if segment.number % RACE_EVERY == 1:
        first = segment.beats[0]
        found.append(Point("wire", stretch.direction, first.step, first.boundary, RACE))
    return found


def _resumed(
    ground: Ground, place: Bench, direction: Direction, cut: list[Segment]
) -> dict[int, tuple[Beat, ...]]:
    """What a resuming runner sends of its own, at one segment of each kind, and at the last."""
    found: dict[int, tuple[Beat, ...]] = {}
    with Cursor(ground, place, direction) as cursor, suppress(Astray):  # the sweep will say so
        for number in _typical(ground, direction, cut):
            cursor.go_to(number)
            sent = cursor.advance(cut[number])
            own = (*sent.prefix, *sent.body) if sent.differs(cut[number]) else sent.prefix
            found[number] = tuple(
                replace(beat, step=RESUME, place=1000 * number + place_in_run)
                for place_in_run, beat in enumerate(own, 1)
            )
    return found


def _typical(ground: Ground, direction: Direction, cut: list[Segment]) -> list[int]:
    """Segments to resume at: before a transaction, within a batch, with an intent to carry out,
    with a finished index to recognise, and at the end. The first of each kind that the run has.
    """
    first: dict[tuple[str, int], int] = {}
    commits: dict[str, int] = {}
    scripts = {step.id: getattr(step, direction) for step in ground.plan.steps}
    for segment in cut[1:]:
        script = scripts.get(segment.step)
        behind = commits[segment.step] = commits.get(segment.step, -1) + 1
        if script is not None and behind in TAKEN_UP[script.kind]:
            first.setdefault((script.kind, behind), segment.number)
    return sorted({*first.values(), cut[-1].number}) if len(cut) > 1 else []


def run(ground: Ground, task: Task) -> list[Row]:
    """Strike at every point of a stretch."""
    from harness.scenario.crash.wire_sweep import Sweep

    with bench(ground) as place:
        return Sweep(ground, place, trimmed(task)).rows(task.points)


def trimmed(task: Task) -> Stretch:
    """The part of a stretch that leads to the task's points: from the first one's step on."""
    stretch: Stretch = task.extra["stretch"]
    wanted = set(task.points)
    needed = [s.number for s in stretch.segments if not wanted.isdisjoint(points_of(stretch, s))]
    first = next(s for s in stretch.segments if s.number == needed[0])
    begin = next(s.number for s in stretch.segments if s.step == first.step)
    kept = [s for s in stretch.segments if begin <= s.number <= needed[-1]]
    return replace(stretch, segments=tuple(kept))
