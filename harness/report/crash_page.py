"""The page of a crash exploration: the answer, the failures, and a map of steps and faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.jsonfile import write_whole
from harness.document.crash import CrashDocument, PointDocument
from harness.report.rendering import environment

LARGEST = 1_900_000  # bytes; above it what is said of single points is cut, and the page says so
LISTED = 30  # ways of failing listed before the map; all of them are in the map

SYMBOLS = {
    "failed": "✗",
    "unexpected": "✗",
    "doubled": "✗",
    "missing": "∅",
    "not fired": "⊘",
    "unknown": "?",
    "passed": "✓",
}
"""By outcome, the worst first: a cell shows the worst of its points."""
CLASSES = {
    "failed": "f",
    "unexpected": "f",
    "doubled": "f",
    "missing": "m",
    "not fired": "m",
    "unknown": "u",
    "passed": "p",
}
WORST = list(SYMBOLS)
TITLES = {
    "forward": ("Forward", "the migration is struck; steps in the order in which it takes them"),
    "rollback": ("Rollback", "the rollback is struck; it takes the steps from the last to first"),
    "cleanup": ("Clean-up", "the clean-up is struck; from there only resuming leads on"),
}

Entry = PointDocument


@dataclass(frozen=True)
class Room:
    """The longest evidence of a passed point, of another, and the longest reason, in characters.

    Only in the map: the failures listed before it have theirs whole.
    """

    passed: int
    other: int
    reason: int


ROOMS = (Room(200, 200, 600), Room(60, 200, 400), Room(0, 100, 200), Room(0, 0, 60), Room(0, 0, 0))


@dataclass(frozen=True)
class PointGroup:
    """Points of a cell that ended alike. `lines` are boundaries, evidence and replay lines."""

    outcome: str
    state: str
    reason: str
    points: int
    lines: list[tuple[str, str, list[str]]]
    replay: str = ""


@dataclass(frozen=True)
class Cell:
    """Where a step meets a fault: how many points, how they ended, and the points."""

    anchor: str
    title: str
    worst: str
    shown: str
    spoken: str
    groups: list[PointGroup]


@dataclass(frozen=True)
class StepLine:
    """A step and its cells, one for each column; None where there is nothing to strike.

    `unsampled` has how many points a sample left out, by the number of the column.
    """

    step: str
    clean: bool
    cells: list[Cell | None]
    unsampled: dict[int, int]


@dataclass(frozen=True)
class Map:
    """Steps by faults, in one direction."""

    direction: str
    title: str
    subtitle: str
    domains: list[tuple[str, int]]
    faults: list[str]
    lines: list[StepLine]
    totals: list[str]


def render(document: CrashDocument, path: Path) -> None:
    """Write the page of a ledger's document: one file that needs no other."""
    for room in ROOMS:
        page = html(document, room)
        if len(page.encode()) <= LARGEST:
            break
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def html(document: CrashDocument, room: Room = ROOMS[0]) -> str:
    """The page, its map cut to the room there is."""
    template = environment().get_template("crash.html.j2")
    causes = document.causes
    return template.render(
        d=document,
        maps=maps(document, room),
        there=_there(document),
        rate=_rate(document.points, document.seconds),
        environment={
            name.replace("_", " "): _text(value) for name, value in document.environment.items()
        },
        ways=[
            ([one for one in causes if one.outcome != "unknown"], "failures"),
            ([one for one in causes if one.outcome == "unknown"], "unknowns"),
        ],
        left_out=_left_out(document),
        listed=LISTED,
        shortened=room != ROOMS[0],
        whole=room.passed > 0,
        symbols=SYMBOLS,
        classes=CLASSES,
    )


def maps(document: CrashDocument, room: Room = ROOMS[0]) -> list[Map]:
    """One map for each direction that has points."""
    nowhere = "(nowhere)"  # the step of what was asked for and not struck: in no map
    entries = [e for e in (*document.rows, *document.missing) if e.step != nowhere]
    found = []
    for direction in TITLES:
        here = [entry for entry in entries if entry.direction == direction]
        if here:
            found.append(_map(direction, here, document, room))
    return found


def _left_out(document: CrashDocument) -> list[str]:
    """What is not in the map, in words: what does not apply, and what nobody asked for."""
    told = [
        f"not applicable: {each.domain}, {each.direction}: {each.reason}"
        for each in document.not_applicable
    ]
    asked = document.not_asked
    if document.shard:
        told.append(f"shard {document.shard} alone: the others strike the other points")
    return told + [
        f"{what} not asked for: {', '.join(names)}" for what, names in asked.items() if names
    ]


def _unsampled(direction: str, document: CrashDocument) -> dict[tuple[str, str, str], int]:
    """How many points a sample left out, by step, domain and fault."""
    cells = document.sample.not_sampled
    return {
        (each.step, each.domain, each.fault): each.points
        for each in cells
        if each.direction == direction
    }


def _map(direction: str, entries: list[Entry], document: CrashDocument, room: Room) -> Map:
    left = _unsampled(direction, document)
    struck = {(entry.domain, entry.fault) for entry in entries}
    columns = _columns(struck | {(domain, fault) for _, domain, fault in left}, document)
    met: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        met.setdefault((entry.step, entry.domain, entry.fault), []).append(entry)
    lines = []
    others = [*(entry.step for entry in entries), *(step for step, _, _ in left)]
    for row, step in enumerate(_steps(direction, others, document)):
        cells = [
            _cell(f"{direction[0]}{row}-{column}", found, room)
            if (found := met.get((step, domain, fault)))
            else None
            for column, (domain, fault) in enumerate(columns)
        ]
        clean = all(cell is None or cell.worst == "passed" for cell in cells)
        unsampled = {
            column: left[step, domain, fault]
            for column, (domain, fault) in enumerate(columns)
            if (step, domain, fault) in left
        }
        lines.append(StepLine(step, clean, cells, unsampled))
    totals = [
        str(sum(len(found) for key, found in met.items() if key[1:] == column))
        for column in columns
    ]
    counted = Counter(domain for domain, _ in columns)
    faults = [fault for _, fault in columns]
    return Map(direction, *TITLES[direction], list(counted.items()), faults, lines, totals)


def _columns(struck: Iterable[tuple[str, str]], document: CrashDocument) -> list[tuple[str, str]]:
    """Faults, grouped by domain in the document's order, in the order of their names."""
    order = {name: place for place, name in enumerate(document.domains)}
    return sorted(struck, key=lambda pair: (order.get(pair[0], len(order)), *pair))


def _steps(direction: str, others: Iterable[str], document: CrashDocument) -> list[str]:
    """The steps in the order of the run, then those that only an entry knows."""
    cleaning = direction == "cleanup"
    start, *steps, end = document.cleanup_steps if cleaning else document.steps
    ordered = [start, *(reversed(steps) if direction == "rollback" else steps), end]
    return list(dict.fromkeys([*ordered, *others]))


def _cell(anchor: str, entries: list[Entry], room: Room) -> Cell:
    counts = Counter(str(entry.outcome) for entry in entries)
    worst = min(counts, key=WORST.index)
    bad = counts[worst]
    shown = str(len(entries)) if bad == len(entries) else f"{bad}/{len(entries)}"
    spoken = ", ".join(f"{counts[one]} {one}" for one in WORST if counts[one])
    first = entries[0]
    title = f"{first.step}, {first.domain} {first.fault}"
    return Cell(anchor, title, worst, shown, spoken, _groups(entries, room))


def _groups(entries: list[Entry], room: Room) -> list[PointGroup]:
    """The points of a cell that ended alike, put together; the worst first."""
    alike: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        key = (entry.outcome, entry.state, _cut(entry.reason, room.reason))
        alike.setdefault(key, []).append(entry)
    found = [
        PointGroup(
            outcome=outcome,
            state=state,
            reason=reason,
            points=len(members),
            lines=_lines(members, room.passed if outcome == "passed" else room.other),
            replay=members[0].replay if outcome == "passed" else "",
        )
        for (outcome, state, reason), members in alike.items()
    ]
    return sorted(found, key=lambda group: WORST.index(group.outcome))


def _lines(entries: list[Entry], longest: int) -> list[tuple[str, str, list[str]]]:
    """Boundaries with the same evidence in one line; each point that is no pass has its replay."""
    alike: dict[str, list[Entry]] = {}
    for entry in entries:
        alike.setdefault(_cut(entry.evidence, longest), []).append(entry)
    return [
        (
            " ".join(entry.boundary for entry in members),
            evidence,
            [entry.replay for entry in members if entry.outcome != "passed"],
        )
        for evidence, members in alike.items()
    ]


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return text[:longest] + f" … ({len(text) - longest} more characters)" if longest else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _there(document: CrashDocument) -> int:
    """How many points there were, chosen or not; 0 when nobody counted."""
    return sum(number for ways in document.enumerated.values() for number in ways.values())


def _rate(points: int, seconds: float) -> float | None:
    return points / seconds if seconds > 0 else None
