"""The coverage ledger: what had to be struck, what was, and what the whole of it proves.

Missing, doubled, unexpected and not-fired rows are failures: an exploration that left something out
must not look like one that found nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from harness.core.direction import DIRECTIONS, Direction
from harness.crash.golden_note import Note
from harness.crash.model import END, START, CoverageRow, Point, Task, Verdict
from harness.crash.registry import DOMAINS
from harness.crash.replay import PointReplay
from harness.crash.request import CrashRequest, Enumeration
from harness.document.base import from_builtins
from harness.document.crash import SCHEMA_VERSION, CrashDocument, Outcome

FAILING: frozenset[Outcome] = frozenset({"failed", "not fired", "missing", "doubled", "unexpected"})
UNSAID: dict[Outcome, str] = {
    "failed": "no reason was given",
    "unknown": "no reason was given",
    "not fired": "the fault did not fire",
    "missing": "there is no row for it: it was never struck",
    "doubled": "there is a second row for it",
    "unexpected": "there is a row for it, but nothing had enumerated it",
}
TWICE = "it was enumerated twice"


@dataclass(frozen=True)
class Entry:
    """One line of the ledger, judged. `row` is None where there is none."""

    point: Point
    outcome: Outcome
    reason: str
    row: CoverageRow | None = None


@dataclass(frozen=True)
class Failure:
    """A way of failing, shrunk to its earliest point. `others` more points in all fail alike.

    Alike are points of one domain, direction and fault whose reasons are the same but for numbers
    and the name of the step. `steps` counts the steps they are in.
    """

    first: Entry
    others: int
    steps: int

    def document(self, replay: PointReplay) -> dict[str, Any]:
        """As JSON, with the line that reproduces it."""
        return {
            **_entry_document(self.first, replay),
            "others": self.others,
            "steps": self.steps,
        }


@dataclass(frozen=True)
class FailureCause:
    """What points that did not pass have in common: a reason, whatever domain or fault found it.

    `file` is the one of the earliest point's step.
    """

    entries: tuple[Entry, ...]
    file: str = ""

    def document(self, replay: PointReplay) -> dict[str, Any]:
        """As JSON: the earliest point, how many there are and where."""
        points = [entry.point for entry in self.entries]
        return {
            **_entry_document(self.entries[0], replay),
            "file": self.file,
            "points": len(points),
            "others": len(points) - 1,
            "steps": len({point.step for point in points}),
            "domains": list(dict.fromkeys(point.domain for point in points)),
            "faults": list(dict.fromkeys(point.fault for point in points)),
        }


@dataclass(frozen=True)
class CoverageCount:
    """What was done, in numbers. `points` had to be struck; `seconds` is what it took."""

    points: int
    fired: int
    states: int
    failed: int
    unknown: int
    seconds: float

    @property
    def points_per_second(self) -> float | None:
        """How fast; None when no time is known."""
        return self.points / self.seconds if self.seconds > 0 else None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        rate = self.points_per_second
        return {
            **asdict(self),
            "seconds": round(self.seconds, 3),
            "points_per_second": None if rate is None else round(rate, 2),
        }


@dataclass(frozen=True)
class Coverage:
    """Everything that had to be struck, and every row there is. `steps` are the plan's, in order.

    A forward run meets the steps in that order, a rollback in the reverse; within a step `expected`
    has the points of a domain in the order of its run. The earliest point is the first one met.
    A run that tells no steps takes others back than forward: `steps_back` has them in their order.
    `enumeration` says what was asked for: where nothing was struck of it, nothing is known. Of a
    shard, `whole` are the points that all the shards strike. `unstruck` stand for what was asked
    for and not struck, each with why, where an earlier ledger told it.
    """

    expected: tuple[Point, ...]
    rows: tuple[CoverageRow, ...]
    steps: tuple[str, ...] = ()
    enumeration: Enumeration | None = None
    files: Mapping[tuple[str, str], str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    cleanup: tuple[str, ...] = ()
    steps_back: tuple[str, ...] | None = None
    whole: tuple[Point, ...] | None = None
    unstruck: tuple[tuple[Point, str], ...] = ()

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every row and every missing point, judged, in the order in which a run meets them."""
        wanted = Counter(self.expected)
        told: set[Point] = set()
        found: list[Entry] = []
        for row in self.rows:
            found.append(_judged(row, row.point in wanted, row.point in told))
            told.add(row.point)
        found += [
            Entry(point, "missing", UNSAID["missing"]) for point in wanted if point not in told
        ]
        found += [Entry(point, "doubled", TWICE) for point, times in wanted.items() if times > 1]
        found += [Entry(point, "unknown", reason) for point, reason in self._unstruck]
        return tuple(sorted(found, key=lambda entry: self._place(entry.point)))

    @property
    def verdict(self) -> Verdict:
        """Pass only when every expected point has its one row, and every row passed."""
        outcomes: set[str] = {entry.outcome for entry in self.entries}
        outcomes |= {note.outcome for note in self.notes if note.outcome != "info"}
        if outcomes & FAILING:
            return "fail"
        return "pass" if outcomes == {"passed"} else "unknown"

    def failures(self) -> list[Failure]:
        """The ways of failing, the earliest first."""
        return self._shrunk(FAILING)

    def unknowns(self) -> list[Failure]:
        """What could not be judged, shrunk likewise."""
        return self._shrunk(frozenset({"unknown"}))

    def causes(self) -> list[FailureCause]:
        """What did not pass, by its cause: failures before what is unknown, the earliest first."""
        groups: dict[tuple[bool, str], list[Entry]] = {}
        for entry in self.entries:
            if entry.outcome != "passed":
                key = (entry.outcome == "unknown", _said(entry))
                groups.setdefault(key, []).append(entry)
        return [
            FailureCause(tuple(found), self._file(found[0].point))
            for _, found in sorted(groups.items(), key=lambda group: group[0][0])
        ]

    def _file(self, point: Point) -> str:
        return self.files.get((point.direction, point.step), "")

    def count(self, seconds: float | None = None) -> CoverageCount:
        """The numbers. Without `seconds` it is the time that the rows took in their workers."""
        fired = [row for row in self.rows if row.fired]
        outcomes = Counter(entry.outcome for entry in self.entries)
        return CoverageCount(
            points=len(set(self.expected)),
            fired=len({row.point for row in fired} & set(self.expected)),
            states=len({(row.point.direction, row.state) for row in fired if row.state}),
            failed=len({entry.point for entry in self.entries if entry.outcome in FAILING}),
            unknown=outcomes["unknown"],
            seconds=sum(row.seconds for row in self.rows) if seconds is None else seconds,
        )

    def domains(self) -> dict[str, CoverageCount]:
        """The numbers of each domain that was to be explored; seconds are seconds of work."""
        parts = {name: self._part(name) for name in DOMAINS}
        return {
            name: part.count()
            for name, part in parts.items()
            if part.expected or part.rows or part._unstruck
        }

    def document(
        self,
        replay: PointReplay,
        environment: Mapping[str, Any],
        seconds: float | None = None,
    ) -> CrashDocument:
        """What `build/crash.json` holds.

        `environment` is what the run stood on (server, version, workers), `seconds` what the whole
        of it took by the clock. `enumerated` counts what there was, chosen or not.
        """
        document = {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            **self.count(seconds).document(),
            "failures": [
                *self._noted("failed", replay),
                *(failure.document(replay) for failure in self.failures()),
            ],
            "unknowns": [
                *self._noted("unknown", replay),
                *(unknown.document(replay) for unknown in self.unknowns()),
            ],
            "causes": [
                *self._noted("failed", replay),
                *self._noted("unknown", replay),
                *(cause.document(replay) for cause in self.causes()),
            ],
            "notes": self._noted("info", replay),
            "domains": {name: one.document() for name, one in self.domains().items()},
            "asked": self.enumeration.asked.document() if self.enumeration else {},
            "enumerated": self.enumeration.document() if self.enumeration else {},
            "sample": self._looked_for.sample(self._chosen),
            **self._looked_for.left_out(),
            "environment": dict(environment),
            "steps": [START, *self.steps, END],
            "cleanup_steps": [START, *self.cleanup, END],
            "rows": [_entry_document(entry, replay) for entry in self.entries if entry.row],
            "missing": [_entry_document(entry, replay) for entry in self.entries if not entry.row],
        }
        return from_builtins(document, CrashDocument)

    def _noted(self, outcome: str, replay: PointReplay) -> list[dict[str, Any]]:
        """What undisturbed runs showed; any exploration of that direction shows it again."""
        return [
            note.document(replay.again(f"--domain wire --direction {note.direction} --points 1"))
            for note in self.notes
            if note.outcome == outcome
        ]

    def _part(self, domain: str) -> Coverage:
        expected = tuple(point for point in self.expected if point.domain == domain)
        rows = tuple(row for row in self.rows if row.point.domain == domain)
        whole = tuple(point for point in self._chosen if point.domain == domain)
        looked_for = self.enumeration.within(domain) if self.enumeration else None
        unstruck = tuple(pair for pair in self.unstruck if pair[0].domain == domain)
        return replace(
            self,
            expected=expected,
            rows=rows,
            enumeration=looked_for,
            whole=whole,
            unstruck=unstruck,
        )

    @property
    def _chosen(self) -> tuple[Point, ...]:
        """The points that are to be struck, in all the shards together."""
        return self.expected if self.whole is None else self.whole

    @property
    def _looked_for(self) -> Enumeration:
        """What was asked for; of a ledger that does not say, what it has."""
        task = Task("wire", self.expected)
        return self.enumeration or Enumeration.of_tasks(CrashRequest(), [task])

    @cached_property
    def _unstruck(self) -> tuple[tuple[Point, str], ...]:
        found = self.enumeration.unstruck(self._chosen) if self.enumeration else ()
        return (*self.unstruck, *found)

    def _shrunk(self, outcomes: frozenset[Outcome]) -> list[Failure]:
        groups: dict[tuple[str, ...], list[Entry]] = {}
        for entry in self.entries:
            if entry.outcome in outcomes:
                groups.setdefault(_likeness(entry), []).append(entry)
        return [
            Failure(entries[0], len(entries) - 1, len({entry.point.step for entry in entries}))
            for entries in groups.values()
        ]

    @cached_property
    def _ranks(self) -> dict[Direction, dict[str, int]]:
        orders: dict[Direction, Iterable[str]] = {
            "forward": self.steps,
            "rollback": reversed(self.steps) if self.steps_back is None else self.steps_back,
            "cleanup": self.cleanup,
        }
        return {
            direction: {step: rank for rank, step in enumerate((START, *steps, END))}
            for direction, steps in orders.items()
        }

    @cached_property
    def _numbers(self) -> dict[Point, int]:
        return {point: number for number, point in enumerate(dict.fromkeys(self.expected))}

    def _place(self, point: Point) -> tuple[Any, ...]:
        ranks = self._ranks[point.direction]
        return (
            DIRECTIONS.index(point.direction),
            ranks.get(point.step, len(ranks)),  # a step that the plan has not comes last
            natural(point.step),
            DOMAINS.index(point.domain),
            self._numbers.get(point, len(self._numbers)),
            natural(point.boundary),
            point.fault,
        )


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts the numbers in texts as numbers: m9 before m10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts)


def _judged(row: CoverageRow, expected: bool, again: bool) -> Entry:
    """What to think of a row; its own word counts only when it is the one row of its point."""
    if not expected:
        outcome: Outcome = "unexpected"
    elif again:
        outcome = "doubled"
    elif not row.fired:
        outcome = "not fired"
    else:
        words: dict[Verdict, Outcome] = {"pass": "passed", "fail": "failed"}
        outcome = words.get(row.verdict, "unknown")
    said = row.reason if expected and not again else ""
    return Entry(row.point, outcome, said or UNSAID.get(outcome, ""), row)


def _likeness(entry: Entry) -> tuple[str, ...]:
    point = entry.point
    return point.domain, point.direction, point.fault, entry.outcome, _said(entry)


def _said(entry: Entry) -> str:
    """A reason without what tells one point from the next: numbers, and the step's name."""
    return re.sub(r"[0-9]+", "#", entry.reason.replace(entry.point.step, "STEP"))


def _entry_document(entry: Entry, replay: PointReplay) -> dict[str, Any]:
    row = entry.row or CoverageRow(entry.point, fired=False, verdict="fail")
    return {
        **row.document(),
        "outcome": entry.outcome,
        "reason": entry.reason,
        "replay": replay.line(entry.point),
    }
