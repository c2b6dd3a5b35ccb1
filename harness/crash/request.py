"""What an exploration was asked for, and how much there was of it: its ledger is held against both.

A ledger knows its own rows only. A domain that found nothing has none, and would look as if there
had been nothing to find.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.direction import DIRECTIONS, Direction
from harness.crash.model import NOWHERE, DomainName, Point, Task
from harness.crash.registry import DOMAINS
from harness.document.base import to_builtins
from harness.document.crash import CrashDocument

NOTHING = "nothing was enumerated here: the domain found no point in this direction"
NO_PLACE = "the plan has no place where this fault can strike; leave it out of --fault"
UNSAMPLED = "the sample took none of the {there} points; ask for more --points, or for all"

Place = tuple[DomainName, Direction]
Cell = tuple[DomainName, Direction, str, str]
"""Where points are counted: domain, direction, step and fault."""


@dataclass(frozen=True)
class CrashRequest:
    """What was to be explored: everything, unless faults, a number or one point are named."""

    domains: tuple[DomainName, ...] = DOMAINS
    directions: tuple[Direction, ...] = DIRECTIONS
    faults: tuple[str, ...] = ()
    points: int | None = None
    replay: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "domains": list(self.domains),
            "directions": list(self.directions),
            "faults": list(self.faults),
            "points": "all" if self.points is None else self.points,
            "replay": self.replay,
        }


EVERYTHING = CrashRequest().document()


@dataclass(frozen=True)
class Enumeration:
    """What was asked for, and how many points there were, before any of them was chosen.

    `cells` counts what was asked for, `found` whatever its domain found. `absent` are the places
    that the plan does not have, `unlooked` those that could not be looked at, `faultless` faults
    for which it has no place, each with its reason.
    """

    asked: CrashRequest
    found: Mapping[Place, int]
    cells: Mapping[Cell, int] = field(default_factory=dict)
    absent: Mapping[Place, str] = field(default_factory=dict)
    unlooked: Mapping[Place, str] = field(default_factory=dict)
    faultless: Mapping[tuple[DomainName, str], str] = field(default_factory=dict)

    @staticmethod
    def of_tasks(
        asked: CrashRequest,
        tasks: Iterable[Task],
        *,
        absent: Mapping[Place, str] | None = None,
        unlooked: Mapping[Place, str] | None = None,
        faultless: Mapping[tuple[DomainName, str], str] | None = None,
    ) -> Enumeration:
        """Count the points of tasks."""
        points = [point for task in tasks for point in task.points]
        wanted = (point for point in points if not asked.faults or point.fault in asked.faults)
        return Enumeration(
            asked,
            Counter((point.domain, point.direction) for point in points),
            Counter((p.domain, p.direction, p.step, p.fault) for p in wanted),
            absent or {},
            unlooked or {},
            faultless or {},
        )

    def within(self, domain: str) -> Enumeration:
        """That of one domain."""
        # whether a fault has a place at all is asked of all domains together
        asked = replace(
            self.asked, domains=tuple(d for d in self.asked.domains if d == domain), faults=()
        )
        return replace(
            self,
            asked=asked,
            found={key: n for key, n in self.found.items() if key[0] == domain},
            cells={key: n for key, n in self.cells.items() if key[0] == domain},
        )

    @property
    def of(self) -> int:
        """How many points there are of what was asked for."""
        return sum(self.cells.values())

    def unstruck(self, chosen: Sequence[Point]) -> Iterator[tuple[Point, str]]:
        """What was asked for and is in none of the chosen points: a point that stands for it."""
        yield from self._empty()
        yield from self._unsampled(chosen)
        if self.asked.points is not None:
            struck = {point.fault for point in chosen}
            for fault in self.asked.faults:
                there = sum(n for cell, n in self.cells.items() if cell[3] == fault)
                if there and fault not in struck:
                    yield self._nowhere(fault=fault), UNSAMPLED.format(there=there)
        absent = {fault for _, fault in self.faultless}
        for fault in self.asked.faults:
            if fault not in absent and all(cell[3] != fault for cell in self.cells):
                yield self._nowhere(fault=fault), NO_PLACE

    def _empty(self) -> Iterator[tuple[Point, str]]:
        """For each domain and direction that was asked for and has no point, one that says so."""
        for domain in self.asked.domains:
            for direction in self.asked.directions:
                place = (domain, direction)
                if place in self.unlooked:
                    yield self._nowhere(*place), self.unlooked[place]
                elif place not in self.absent and not self.found.get(place):
                    yield self._nowhere(*place), NOTHING

    def _unsampled(self, chosen: Sequence[Point]) -> Iterator[tuple[Point, str]]:
        """For each domain and direction that has points, of which a sample took none."""
        if self.asked.points is None:
            return
        struck = {point.domain for point in chosen}, {point.direction for point in chosen}
        for domain in self.asked.domains:
            there = sum(n for cell, n in self.cells.items() if cell[0] == domain)
            if there and domain not in struck[0]:
                yield self._nowhere(domain), UNSAMPLED.format(there=there)
        for direction in self.asked.directions:
            there = sum(n for cell, n in self.cells.items() if cell[1] == direction)
            if there and direction not in struck[1]:
                domain = next(cell[0] for cell in self.cells if cell[1] == direction)
                yield self._nowhere(domain, direction), UNSAMPLED.format(there=there)

    def _nowhere(
        self,
        domain: DomainName | None = None,
        direction: Direction | None = None,
        fault: str = "any",
    ) -> Point:
        first = domain or self.asked.domains[0], direction or self.asked.directions[0]
        return Point(*first, NOWHERE, "none", fault)

    def document(self) -> dict[str, dict[str, int]]:
        """As JSON: domain -> direction -> points."""
        return {
            domain: {way: self.found.get((domain, way), 0) for way in self.asked.directions}
            for domain in self.asked.domains
        }

    def sample(self, chosen: Sequence[Point]) -> dict[str, Any]:
        """As JSON: how many points of how many are struck, and where none is."""
        met = {(point.domain, point.direction, point.step, point.fault) for point in chosen}
        return {
            "struck": len(set(chosen)),
            "of": self.of,
            "is_sample": self.asked.points is not None and len(set(chosen)) < self.of,
            "not_sampled": [
                {"domain": d, "direction": w, "step": step, "fault": fault, "points": number}
                for (d, w, step, fault), number in self.cells.items()
                if (d, w, step, fault) not in met and self.asked.points is not None
            ],
        }

    def left_out(self) -> dict[str, Any]:
        """As JSON: what does not apply to the plan, and what nobody asked for."""
        return {
            "not_applicable": [
                {"domain": domain, "direction": direction, "reason": reason}
                for (domain, direction), reason in self.absent.items()
            ]
            + [
                {"domain": domain, "direction": "any", "fault": fault, "reason": reason}
                for (domain, fault), reason in self.faultless.items()
            ],
            "not_asked": {
                "domains": [name for name in DOMAINS if name not in self.asked.domains],
                "directions": [name for name in DIRECTIONS if name not in self.asked.directions],
                "faults": (
                    ["all but " + ", ".join(self.asked.faults)] if self.asked.faults else []
                ),
            },
        }


def total(enumerated: Mapping[str, Mapping[str, int]]) -> int:
    """How many points there were, by a document."""
    return sum(number for ways in enumerated.values() for number in ways.values())


def incomplete(document: CrashDocument) -> str:
    """Why a ledger is not that of all there is to strike; empty when it is."""
    if document.shard:
        return f"it is shard {document.shard} alone: put the shards together with harness merge"
    asked, enumerated = to_builtins(document.asked), document.enumerated
    for name, everything in EVERYTHING.items():
        if asked.get(name) != everything:
            return f"it was asked for {name} {asked.get(name)}, not for {everything}"
    if document.verdict != "pass":
        return ""  # whatever is missing in it is one of its failures
    absent = {(each.domain, each.direction) for each in document.not_applicable}
    for domain in DOMAINS:
        for direction in DIRECTIONS:
            there = enumerated.get(domain, {}).get(direction)
            if not there and (domain, direction) not in absent:
                return f"nothing of {domain}, {direction}, was enumerated"
    there, struck = total(enumerated), len({row.id for row in document.rows})
    return "" if struck == there else f"it has {struck} of {there} points"
