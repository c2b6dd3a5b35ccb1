"""A comparison of two refs as a page and as Markdown, each with its plots, readable offline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.jsonfile import write_whole
from harness.core.quantity import duration, timing
from harness.document.comparison import (
    ComparedBenchmarkDocument,
    ComparisonDocument,
    ComparisonRoundDocument,
)
from harness.report.pull_request import plain
from harness.report.rendering import environment

WIDTH: Final = 320.0
"""Of a plot of an interval, in units of its view box."""
LEAST: Final = 0.12
"""The plots reach at least to 12% on both sides, so that small changes look small."""
ROUND_WIDTH, ROUND_HEIGHT = 600.0, 120.0
MARKS: Final = {
    "slower": ("f", "✗"),
    "faster": ("p", "▲"),
    "same": ("p", "="),
    "cannot tell": ("u", "?"),
}
SIGNS: Final = {"slower": "❌", "faster": "🚀", "same": "✅", "cannot tell": "❔"}
CELLS: Final = 33
"""Characters of an interval in Markdown."""
LEADS: Final = {
    "fail": "A slowdown was measured, and confirmed by a second round of the same size.",
    "pass": "Nothing is slower: every change lies within the band, or is for the better.",
    "unknown": "No slowdown is confirmed. Of some benchmarks it cannot be told.",
}


@dataclass(frozen=True)
class IntervalPlot:
    """Where an interval, its estimate and the band lie, in units of the view box."""

    low: float
    ratio: float
    high: float
    band_low: float
    band_high: float
    middle: float


@dataclass(frozen=True)
class RoundPlot:
    """The ratio of every pair of a round, in the order in which they were run."""

    title: str
    points: Sequence[tuple[float, float, str]]
    band_top: float
    band_bottom: float
    middle: float
    top: str
    bottom: str


@dataclass(frozen=True)
class ShownBenchmark:
    """A benchmark, drawn."""

    document: ComparedBenchmarkDocument
    mark: str
    sign: str
    interval: IntervalPlot | None
    rounds: Sequence[RoundPlot]


def render_comparison(document: ComparisonDocument) -> str:
    """The page: one file, without scripts, that needs no other."""
    reach = _reach(document)
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            d=document,
            shown=[_shown(one, reach, document.rule.band) for one in document.benchmarks],
            reach=f"{math.exp(reach) - 1:.0%}",
            low=f"{math.exp(-reach) - 1:.0%}",
            lead=LEADS[document.verdict],
            percent=percent,
            width=WIDTH,
        )
    )


def comparison_markdown(document: ComparisonDocument) -> str:
    """The same for a pull request, with plots of characters."""
    sign = {"pass": "✅", "fail": "❌", "unknown": "❔"}[document.verdict]
    base, head = document.base, document.head
    lines = [
        f"## {sign} Benchmarks: {plain(base.ref)} → {plain(head.ref)}",
        "",
        LEADS[document.verdict],
        "",
        f"| benchmark | verdict | change | base | head | {_axis(document)} |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    reach = _reach(document)
    lines += [_row(one, reach, document.rule.band) for one in document.benchmarks]
    reasons = _reasons(document)
    lines += ["", *reasons, *([""] if reasons else []), _small(document), ""]
    return "\n".join(lines)


def write_report(path: Path, text: str) -> None:
    """Write a report that was rendered; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)


def percent(ratio: float) -> str:
    """A ratio of head to base as a change."""
    return f"{100 * (ratio - 1):+.1f}%"


def _reach(document: ComparisonDocument) -> float:
    """How far the plots reach on both sides, as a logarithm."""
    ends = [
        abs(math.log(end))
        for one in document.benchmarks
        for end in (one.low, one.high)
        if end is not None
    ]
    return min(max([math.log1p(LEAST), *ends]) * 1.05, math.log(4))


def _shown(one: ComparedBenchmarkDocument, reach: float, band: float) -> ShownBenchmark:
    mark, sign = MARKS[one.verdict]
    rounds = [
        _round_plot(part, band, number)
        for number, part in enumerate(one.rounds, 1)
        if part.pairs and all(min(pair) > 0 for pair in part.pairs)
    ]
    return ShownBenchmark(one, mark, sign, _interval_plot(one, reach, band), rounds)


def _interval_plot(
    one: ComparedBenchmarkDocument, reach: float, band: float
) -> IntervalPlot | None:
    if one.ratio is None or one.low is None or one.high is None:
        return None

    def at(ratio: float) -> float:
        place = max(-1.0, min(1.0, math.log(ratio) / reach))
        return round(WIDTH / 2 * (1 + place), 1)

    return IntervalPlot(
        at(one.low), at(one.ratio), at(one.high), at(1 / (1 + band)), at(1 + band), at(1.0)
    )


def _round_plot(part: ComparisonRoundDocument, band: float, number: int) -> RoundPlot:
    logs = [math.log(head / base) for base, head in part.pairs]
    reach = max([math.log1p(LEAST), *(abs(one) for one in logs)]) * 1.05

    def height(value: float) -> float:
        return round(ROUND_HEIGHT / 2 * (1 - value / reach), 1)

    step = ROUND_WIDTH / len(logs)
    return RoundPlot(
        title=f"round {number}: {part.verdict}" + ("" if number == 1 else ", to confirm"),
        points=[
            (
                round(step * (place + 0.5), 1),
                height(value),
                f"pair {place + 1}: {timing(base)} → {timing(head)}, {percent(head / base)}",
            )
            for place, (value, (base, head)) in enumerate(zip(logs, part.pairs, strict=True))
        ],
        band_top=height(math.log1p(band)),
        band_bottom=height(-math.log1p(band)),
        middle=height(0.0),
        top=percent(math.exp(reach)),
        bottom=percent(math.exp(-reach)),
    )


def _axis(document: ComparisonDocument) -> str:
    reach = math.exp(_reach(document)) - 1
    return f"interval of {document.rule.confidence:.0%}, to {reach:.0%} on both sides"


def _row(one: ComparedBenchmarkDocument, reach: float, band: float) -> str:
    change = ""
    if one.ratio is not None and one.low is not None and one.high is not None:
        change = f"{percent(one.ratio)} [{percent(one.low)}, {percent(one.high)}]"
    times = [
        "" if seconds is None else timing(seconds)
        for seconds in (one.base_seconds, one.head_seconds)
    ]
    said = f"{SIGNS[one.verdict]} {one.verdict}" + (", confirmed" if one.confirmed else "")
    drawn = _characters(one, reach, band)
    return f"| {plain(one.name)} | {said} | {change} | {times[0]} | {times[1]} | {drawn} |"


def _characters(one: ComparedBenchmarkDocument, reach: float, band: float) -> str:
    """The interval as characters: the band in dots, the interval in dashes, its estimate."""
    plot = _interval_plot(one, reach, band)
    if plot is None:
        return ""

    def cell(at: float) -> int:
        return min(CELLS - 1, int(at / WIDTH * CELLS))

    drawn = ["·"] * CELLS
    for place in range(cell(plot.band_low), cell(plot.band_high) + 1):
        drawn[place] = "░"
    for place in range(cell(plot.low), cell(plot.high) + 1):
        drawn[place] = "━"
    drawn[cell(plot.ratio)] = "●"
    return f"`{''.join(drawn)}`"


def _reasons(document: ComparisonDocument) -> list[str]:
    lines = [f"- {plain(one.name)}: {plain(one.why)}" for one in document.benchmarks if one.why]
    lines += [f"- {plain(name)}: only head has it, not compared" for name in document.added]
    lines += [f"- {plain(name)}: only base has it, not compared" for name in document.removed]
    lines += [
        f"- {plain(left.name)}: left out"
        + ("" if left.seconds is None else f", a round of it takes {duration(left.seconds)}")
        for left in document.dropped
    ]
    return lines + [f"- {plain(note)}" for note in document.notes]


def _small(document: ComparisonDocument) -> str:
    rule = document.rule
    commits = " → ".join(one.commit[:12] or one.ref for one in (document.base, document.head))
    how = [
        f"{rule.pairs} pairs of medians of {rule.inner}, {rule.servers} fresh servers each",
        f"band {rule.band:.0%}",
    ]
    told = [
        commits,
        *(how if any(one.rounds for one in document.benchmarks) else []),
        *(f"{document.rows:,} rows" for _ in [0] if document.rows is not None),
        str(document.machine.get("cpu") or document.machine.get("processor") or ""),
        duration(document.seconds),
    ]
    return plain(" · ".join(one for one in told if one))
