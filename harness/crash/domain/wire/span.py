"""A span of a golden run: consecutive segments, what leads there, and the points within."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.direction import Direction
from harness.crash.domain.wire.faults import FAULTS
from harness.crash.domain.wire.golden import Segment, WireMessage
from harness.crash.model import Point

RESUME = "(resume)"  # what a resuming runner sends before it goes on with a step
ACKED = "sigkill-acked"  # killed when it has heard that a commit was done
RACE = "race"
CLOSING = "closing"  # one message further than the run has: nothing fires, and the sweep is closed
EVERY = frozenset({*FAULTS, ACKED, RACE, CLOSING})


@dataclass(frozen=True)
class Span:
    """Consecutive segments of a golden run, and what leads there: a task's share of it.

    `resumed` are the segments where the resuming runner's own messages are struck too, with those
    messages. Of the whole run: `last` is the number of its last segment, `final` that of the first
    one of its last step, `beyond` the message after its last, `commits` the point at which a runner
    is killed behind each commit. Of those, the states in `back` are rolled back whatever is struck.
    A rollback that begins `half` so many commits forward has a `mark` in the names of its points.
    """

    direction: Direction
    segments: tuple[Segment, ...]
    resumed: dict[int, tuple[WireMessage, ...]]
    last: int
    final: int
    beyond: WireMessage
    commits: dict[int, Point]
    back: frozenset[int] = frozenset()
    faults: frozenset[str] = EVERY
    half: int = 0
    mark: str = ""

    def led_from(self, number: int) -> int:
        """The segment from which a point of segment `number` is led to alone: its step's first."""
        step = next(one.step for one in self.segments if one.number == number)
        return next(one.number for one in self.segments if one.step == step)


def points_of(stretch: Span, segment: Segment) -> list[Point]:
    """The points of one segment, in the order of its messages."""
    found: list[Point] = []
    for beat in (*stretch.resumed.get(segment.number, ()), *segment.beats):
        found += [
            Point("wire", stretch.direction, beat.step, beat.boundary, fault.name)
            for fault in FAULTS.values()
            if fault.name in stretch.faults and fault.at(beat)
        ]
        if beat.commits and beat.step != RESUME:
            found.append(Point("wire", stretch.direction, beat.step, beat.boundary, ACKED))
    if segment.number == stretch.last and CLOSING in stretch.faults:
        beyond = stretch.beyond
        found.append(Point("wire", stretch.direction, beyond.step, beyond.boundary, CLOSING))
    if RACE in stretch.faults:  # once a segment: more often than at every tenth message
        first = segment.beats[0]
        found.append(Point("wire", stretch.direction, first.step, first.boundary, RACE))
    return found
