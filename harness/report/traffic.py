"""Pictures of a run under traffic: what operations took over time, and whom each step kept waiting.

Latency is drawn on a scale of powers of ten, the steps as bands behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.document.live import LiveDocument, LiveSeriesDocument, LiveStepDocument

WIDTH, HEIGHT = 720.0, 150.0  # of the part that is drawn in
FLOOR = 0.1  # milliseconds at the foot of the scale
LISTED = 10  # steps that kept clients waiting longest


@dataclass(frozen=True)
class StepBand:
    """When a step was at work."""

    title: str
    direction: str
    left: float
    width: float
    killed: bool


@dataclass(frozen=True)
class ScaleLine:
    """A line across a picture, and what it stands for."""

    at: float
    text: str


@dataclass(frozen=True)
class TrafficPicture:
    """The two pictures of a run, in units of their view box."""

    seconds: float
    bands: Sequence[StepBand]
    median: str
    longest: str
    latency_scale: Sequence[ScaleLine]
    throughput: str
    throughput_scale: Sequence[ScaleLine]


@dataclass(frozen=True)
class Traffic:
    """What a page shows of a run under traffic; `picture` is None where nothing was recorded."""

    document: LiveDocument
    picture: TrafficPicture | None
    waits: Sequence[LiveStepDocument]
    longest_wait: float
    best_rate: float


def draw_traffic(document: LiveDocument) -> Traffic:
    """The pictures, and the steps that kept clients waiting, the longest first."""
    waits = sorted((one for one in document.steps if one.waited_ms), key=lambda one: -one.waited_ms)
    series = document.series
    drawn = _drawn(series) if series is not None and series.moments else None
    longest = max([document.max_wait_ms, *(one.waited_ms for one in waits)])
    return Traffic(document, drawn, waits[:LISTED], longest, _best_rate(document))


def _best_rate(document: LiveDocument) -> float:
    """The most that got done a second at saturation, which a whole bar stands for."""
    found = document.throughput
    if found is None:
        return 1.0
    rates = (found.before, found.beside, found.after, found.forward, found.rollback)
    return max(1.0, *(rate for rate in rates if rate is not None))


def _drawn(series: LiveSeriesDocument) -> TrafficPicture:
    seconds = series.moments[-1].at + series.width
    along = WIDTH / seconds
    ceiling = max(1.0, *(one.longest for one in series.moments))
    most = max(1.0, *(one.answered / series.width for one in series.moments))

    def height(milliseconds: float) -> float:
        share = math.log10(max(milliseconds, FLOOR) / FLOOR) / math.log10(ceiling / FLOOR)
        return HEIGHT * (1 - share)

    def line(points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{(at + series.width / 2) * along:.1f},{y:.1f}" for at, y in points)

    rates = [(one.at, HEIGHT * (1 - one.answered / series.width / most)) for one in series.moments]
    return TrafficPicture(
        seconds=seconds,
        bands=[
            StepBand(
                f"{one.direction} {one.step}", one.direction, round(one.begun * along, 1),
                round(max(1.0, (one.done - one.begun) * along), 1), one.killed,
            )
            for one in series.spans
        ],
        median=line([(one.at, height(one.p50)) for one in series.moments if one.answered]),
        longest=line([(one.at, height(one.longest)) for one in series.moments if one.answered]),
        latency_scale=[ScaleLine(round(height(one), 1), f"{one:g} ms") for one in _powers(ceiling)],
        throughput=line(rates),
        throughput_scale=[ScaleLine(0.0, f"{most:.0f}/s"), ScaleLine(HEIGHT, "0")],
    )  # fmt: skip


def _powers(ceiling: float) -> Iterator[float]:
    power = FLOOR
    while power <= ceiling:
        yield power
        power = round(power * 10, 1)
