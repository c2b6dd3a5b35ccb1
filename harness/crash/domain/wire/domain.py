"""The wire domain: every message of the runs forward, back and resumed, struck in every way.

Each segment of the golden run, the messages between two commits, is explored from a clone of the
state at its beginning, by a runner that resumes there and sends the same messages. A rollback is
struck from its beginning twice over: of a finished migration, and of one that was left halfway.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from harness.core.direction import DIRECTIONS, Direction
from harness.crash.domain.wire import foreign
from harness.crash.domain.wire.commits import Astray, CommitLead, halfway
from harness.crash.domain.wire.faults import FAULTS
from harness.crash.domain.wire.golden import Segment, WireMessage, golden
from harness.crash.domain.wire.span import ACKED, CLOSING, RACE, RESUME, Span, points_of
from harness.crash.domain.wire.sweep import Sweep
from harness.crash.model import END, CoverageRow, Domain, Point, Task
from harness.crash.setup import Setup
from harness.crash.templates import Templates, bench

CHUNK = 10  # segments that one task explores
TAKEN_UP = {"transaction": (0,), "batch": (1,), "concurrent": (1, 2)}  # behind so many commits
IDLE = ("stall",)  # faults that mostly wait: tasks of their own, so that others use the time
MAIN = frozenset({"cut", "unheard", "sigkill", ACKED})
HALF = {"half-batch-": ("batch", 1), "half-intent-": ("concurrent", 1)}  # where it was left
BACK = 2  # states of a kind that are rolled back in every sample
HALF_STEPS = 2  # of a rollback begun halfway that are struck: what follows is as in any other


def tasks(ground: Setup) -> list[Task]:
    """Every point of the ground's directions, found in golden runs.

    On lean ground a direction is one task, and what is nested is left out: a resuming runner's own
    messages, and a rollback that begins halfway.
    """
    if not ground.resumes:
        return foreign.tasks(ground)
    with bench(ground) as place:
        wanted = [direction for direction in DIRECTIONS if ground.goes(direction)]
        cuts = {direction: golden(ground, place, direction) for direction in wanted}
        found: list[Task] = []
        for direction, cut in cuts.items():
            found += _direction(ground, place, direction, cut)
        if "rollback" in cuts and not ground.lean:
            forward = cuts.get("forward") or golden(ground, place, "forward")
            found += _halfway(ground, place, forward)
        return found


def _direction(
    ground: Setup, place: Templates, direction: Direction, cut: list[Segment]
) -> list[Task]:
    resumed = {} if ground.lean else _resumed(ground, place, direction, cut)
    back = _chosen(ground, cut) if direction == "forward" else frozenset()
    foreign = replace(_whole(direction, cut), back=back)
    found: list[Task] = []
    for share in [tuple(cut)] if ground.lean else _shares(cut):
        numbers = {segment.number for segment in share}
        prefixes = {number: beats for number, beats in resumed.items() if number in numbers}
        stretch = replace(foreign, segments=share, resumed=prefixes)
        found += _tasks(stretch, IDLE if not ground.lean else ())
    return found


def _whole(direction: Direction, cut: list[Segment], mark: str = "") -> Span:
    """A run as one stretch, nothing of a resuming runner's own in it."""
    beyond = WireMessage(
        END, 1 + sum(len(segment.beats) for segment in cut), "X", "", 1, False, mark
    )
    last_step = cut[-2].step if len(cut) > 1 else cut[-1].step
    final = next(segment.number for segment in cut if segment.step == last_step)
    heard = {segment.number + 1: segment.beats[segment.to_commit - 1] for segment in cut}
    commits = {
        number: Point("wire", direction, beat.step, beat.boundary, ACKED)
        for number, beat in heard.items()
    }
    return Span(direction, tuple(cut), {}, len(cut) - 1, final, beyond, commits, mark=mark)


def _halfway(ground: Setup, place: Templates, forward: list[Segment]) -> list[Task]:
    """Rollbacks of a migration that was killed: within a batch step, and at an index's intent."""
    found: list[Task] = []
    kinds = _kinds(ground, "forward", forward)
    for mark, kind in HALF.items():
        for half in kinds.get(kind, ())[:1]:
            with halfway(ground, place, half) as left:
                cut = [one.marked(mark) for one in golden(ground, left, "rollback")]
            steps = list(dict.fromkeys(segment.ends_in for segment in cut))[: 1 + HALF_STEPS]
            struck = tuple(segment for segment in cut if segment.ends_in in steps)
            foreign = _whole("rollback", cut, mark)
            found += _tasks(replace(foreign, segments=struck, faults=MAIN, half=half), ())
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


def _tasks(stretch: Span, apart: tuple[str, ...]) -> list[Task]:
    """A stretch's points; those of faults that are kept apart in a task of their own."""
    points = [point for segment in stretch.segments for point in points_of(stretch, segment)]
    idle = tuple(point for point in points if point.fault in apart)
    busy = tuple(point for point in points if point.fault not in apart)
    extra = {"stretch": stretch}
    return [Task("wire", chosen, _seconds(chosen), extra) for chosen in (busy, idle) if chosen]


def _seconds(points: Iterable[Point]) -> float:
    """What points may cost."""
    return sum(FAULTS[p.fault].seconds if p.fault in FAULTS else 0.5 for p in points)


def _resumed(
    ground: Setup, place: Templates, direction: Direction, cut: list[Segment]
) -> dict[int, tuple[WireMessage, ...]]:
    """What a resuming runner sends of its own, at one segment of each kind, and at the last."""
    found: dict[int, tuple[WireMessage, ...]] = {}
    # where the run goes astray, the sweep will say so
    with CommitLead.started(ground, place, direction) as lead, suppress(Astray):
        for number in _typical(ground, direction, cut):
            lead.go_to(number)
            sent = lead.advance(cut[number])
            own = (*sent.prefix, *sent.body) if sent.differs(cut[number]) else sent.prefix
            found[number] = tuple(
                replace(beat, step=RESUME, place=1000 * number + place_in_run)
                for place_in_run, beat in enumerate(own, 1)
            )
    return found


def _typical(ground: Setup, direction: Direction, cut: list[Segment]) -> list[int]:
    """Segments to resume at: the first of each kind that the run has, and the last of all."""
    first = {numbers[0] for numbers in _kinds(ground, direction, cut).values()}
    return sorted({*first, cut[-1].number}) if len(cut) > 1 else []


def _chosen(ground: Setup, cut: list[Segment]) -> frozenset[int]:
    """Some states of each kind, drawn by the seed: rolled back even where nothing is struck."""
    chance = random.Random(ground.seed)  # noqa: S311 - a sample, not a secret
    kinds = _kinds(ground, "forward", cut).values()
    return frozenset(
        number for found in kinds for number in chance.sample(found, min(BACK, len(found)))
    )


def _kinds(
    ground: Setup, direction: Direction, cut: list[Segment]
) -> dict[tuple[str, int], list[int]]:
    """Segments by what they find: a transaction to begin, a batch behind others, an intent to carry
    out, a finished index to recognise.
    """
    found: dict[tuple[str, int], list[int]] = {}
    commits: dict[str, int] = {}
    for segment in cut[1:]:
        script = ground.script(direction, segment.step)
        behind = commits[segment.step] = commits.get(segment.step, -1) + 1
        if script is None:
            continue
        behind = min(behind, TAKEN_UP[script.kind][-1])
        if behind in TAKEN_UP[script.kind]:
            found.setdefault((script.kind, behind), []).append(segment.number)
    return found


def run(ground: Setup, task: Task) -> list[CoverageRow]:
    """Strike at every point of a stretch."""
    if not ground.resumes:
        return foreign.run(ground, task)
    stretch = trimmed(task)
    with bench(ground) as usual, halfway(ground, usual, stretch.half) as place:
        return Sweep(ground, place, stretch).rows(task.points)


def trimmed(task: Task) -> Span:
    """The part of a stretch that leads to the task's points: from the first one's step on.

    A point of the chain of kills is led to by the whole chain, as when it was found to fail.
    """
    stretch: Span = task.extra["stretch"]
    wanted = set(task.points)
    needed = [s.number for s in stretch.segments if not wanted.isdisjoint(points_of(stretch, s))]
    begin = stretch.led_from(needed[0])
    if any(point.fault == ACKED for point in wanted):
        begin = stretch.segments[0].number
    kept = [s for s in stretch.segments if begin <= s.number <= needed[-1]]
    return replace(stretch, segments=tuple(kept))


WIRE = Domain("wire", (*FAULTS, ACKED, RACE, CLOSING), tasks, run, strikes_cleanup=True)
