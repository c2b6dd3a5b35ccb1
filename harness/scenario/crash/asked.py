"""What an exploration was asked for, and how much there was of it: its ledger is held against both.

A ledger knows its own rows only. A domain that found nothing has none, and would look as if there
had been nothing to find.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.scenario.crash.model import (
    DIRECTIONS,
    DOMAINS,
    NOWHERE,
    Direction,
    DomainName,
    Point,
    Task,
)

NOTHING = "nothing was enumerated here: the domain found no point in this direction"


@dataclass(frozen=True)
class Asked:
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


EVERYTHING = Asked().document()


@dataclass(frozen=True)
class Enumeration:
    """What was asked for, and how many points there were, before any of them was chosen."""

    asked: Asked
    found: Mapping[tuple[DomainName, Direction], int]

    @staticmethod
    def of_tasks(asked: Asked, tasks: Iterable[Task]) -> Enumeration:
        """Count the points of tasks."""
        points = (point for task in tasks for point in task.points)
        return Enumeration(asked, Counter((point.domain, point.direction) for point in points))

    def within(self, domain: str) -> Enumeration:
        """That of one domain."""
        asked = replace(self.asked, domains=tuple(d for d in self.asked.domains if d == domain))
        return Enumeration(asked, {key: n for key, n in self.found.items() if key[0] == domain})

    @property
    def empty(self) -> tuple[Point, ...]:
        """For each domain and direction that was asked for and has no point, one that says so."""
        return tuple(
            Point(domain, direction, NOWHERE, "none", "any")
            for domain in self.asked.domains
            for direction in self.asked.directions
            if not self.found.get((domain, direction))
        )

    def document(self) -> dict[str, dict[str, int]]:
        """As JSON: domain -> direction -> points."""
        return {
            domain: {way: self.found.get((domain, way), 0) for way in self.asked.directions}
            for domain in self.asked.domains
        }


def total(enumerated: Mapping[str, Mapping[str, int]]) -> int:
    """How many points there were, by a document."""
    return sum(number for ways in enumerated.values() for number in ways.values())


def incomplete(document: Mapping[str, Any]) -> str:
    """Why a ledger is not that of all there is to strike; empty when it is."""
    asked, enumerated = document["asked"], document["enumerated"]
    for name, everything in EVERYTHING.items():
        if asked.get(name) != everything:
            return f"it was asked for {name} {asked.get(name)}, not for {everything}"
    if document["verdict"] != "pass":
        return ""  # whatever is missing in it is one of its failures
    for domain in DOMAINS:
        for direction in DIRECTIONS:
            if not enumerated.get(domain, {}).get(direction):
                return f"nothing of {domain}, {direction}, was enumerated"
    there, struck = total(enumerated), len({row["id"] for row in document["rows"]})
    return "" if struck == there else f"it has {struck} of {there} points"
