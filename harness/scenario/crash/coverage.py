"""The coverage ledger: what had to be struck, what was, and what the whole of it proves.

Missing, doubled, unexpected and not-fired rows are failures: an exploration that left something out
must not look like one that found nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from harness.errors import UsageError
from harness.scenario.crash.model import (
    DIRECTIONS,
    DOMAINS,
    END,
    START,
    Direction,
    Point,
    Row,
    Verdict,
)

SCHEMA_VERSION = 1  # of crash.json; raised when a key changes its meaning

Outcome = Literal["passed", "failed", "not fired", "missing", "doubled", "unexpected", "unknown"]
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
NUMBERS = ("points", "fired", "states", "failed", "unknown", "seconds")
SHAPE: dict[str, type | tuple[type, ...]] = {
    "verdict": str,
    **dict.fromkeys(NUMBERS, (int, float)),
    **dict.fromkeys(("domains", "environment"), dict),
    **dict.fromkeys(("failures", "unknowns", "steps", "rows", "missing"), list),
}
ENTRY_KEYS = frozenset(
    {"id", "domain", "direction", "step", "boundary", "fault", "outcome", "reason", "replay"}
)


@dataclass(frozen=True)
class Replay:
    """How the command line repeats one point: the same plan, rows and seed."""

    rows: int
    seed: int
    plan: str | None = None

    def line(self, point: Point) -> str:
        """One line for a shell."""
        name = "'" + point.id.replace("'", "'\"'\"'") + "'"
        plan = f" --plan {quote(self.plan)}" if self.plan else ""
        return f"harness crash --replay {name} --rows {self.rows} --seed {self.seed}{plan}"


@dataclass(frozen=True)
class Entry:
    """One line of the ledger, judged. `row` is None where there is none."""

    point: Point
    outcome: Outcome
    reason: str
    row: Row | None = None


@dataclass(frozen=True)
class Failure:
    """A way of failing, shrunk to its earliest point. `others` more points in all fail alike.

    Alike are points of one domain, direction and fault whose reasons are the same but for numbers
    and the name of the step. `steps` counts the steps they are in.
    """

    first: Entry
    others: int
    steps: int

    def document(self, replay: Replay) -> dict[str, Any]:
        """As JSON, with the line that reproduces it."""
        return {
            **_entry_document(self.first, replay),
            "others": self.others,
            "steps": self.steps,
        }


@dataclass(frozen=True)
class Count:
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
    """

    expected: tuple[Point, ...]
    rows: tuple[Row, ...]
    steps: tuple[str, ...] = ()

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
        return tuple(sorted(found, key=lambda entry: self._place(entry.point)))

    @property
    def verdict(self) -> Verdict:
        """Pass only when every expected point has its one row, and every row passed."""
        outcomes = {entry.outcome for entry in self.entries}
        if outcomes & FAILING:
            return "fail"
        return "pass" if outcomes == {"passed"} else "unknown"

    def failures(self) -> list[Failure]:
        """The ways of failing, the earliest first."""
        return self._shrunk(FAILING)

    def unknowns(self) -> list[Failure]:
        """What could not be judged, shrunk likewise."""
        return self._shrunk(frozenset({"unknown"}))

    def count(self, seconds: float | None = None) -> Count:
        """The numbers. Without `seconds` it is the time that the rows took in their workers."""
        fired = [row for row in self.rows if row.fired]
        outcomes = Counter(entry.outcome for entry in self.entries)
        return Count(
            points=len(set(self.expected)),
            fired=len({row.point for row in fired} & set(self.expected)),
            states=len({(row.point.direction, row.state) for row in fired if row.state}),
            failed=len({entry.point for entry in self.entries if entry.outcome in FAILING}),
            unknown=outcomes["unknown"],
            seconds=sum(row.seconds for row in self.rows) if seconds is None else seconds,
        )

    def domains(self) -> dict[str, Count]:
        """The numbers of each domain that was to be explored; seconds are seconds of work."""
        parts = {name: self._part(name) for name in DOMAINS}
        return {name: part.count() for name, part in parts.items() if part.expected or part.rows}

    def document(
        self,
        replay: Replay,
        environment: Mapping[str, Any],
        seconds: float | None = None,
    ) -> dict[str, Any]:
        """The JSON document that `build/crash.json` holds.

        `environment` is what the run stood on (server, version, workers), `seconds` what the whole
        of it took by the clock.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            **self.count(seconds).document(),
            "failures": [failure.document(replay) for failure in self.failures()],
            "unknowns": [unknown.document(replay) for unknown in self.unknowns()],
            "domains": {name: one.document() for name, one in self.domains().items()},
            "environment": dict(environment),
            "steps": [START, *self.steps, END],
            "rows": [_entry_document(entry, replay) for entry in self.entries if entry.row],
            "missing": [_entry_document(entry, replay) for entry in self.entries if not entry.row],
        }

    def _part(self, domain: str) -> Coverage:
        expected = tuple(point for point in self.expected if point.domain == domain)
        rows = tuple(row for row in self.rows if row.point.domain == domain)
        return replace(self, expected=expected, rows=rows)

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
            "rollback": reversed(self.steps),
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


def _judged(row: Row, expected: bool, again: bool) -> Entry:
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
    reason = re.sub(r"[0-9]+", "#", entry.reason.replace(point.step, "STEP"))
    return point.domain, point.direction, point.fault, entry.outcome, reason


def _entry_document(entry: Entry, replay: Replay) -> dict[str, Any]:
    row = entry.row or Row(entry.point, fired=False, verdict="fail")
    return {
        **row.document(),
        "outcome": entry.outcome,
        "reason": entry.reason,
        "replay": replay.line(entry.point),
    }


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write a ledger's document to a file, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write: {error.strerror}", where=str(path)) from error


def read(path: Path) -> dict[str, Any]:
    """Read what `write` wrote; anything else is a usage error that names the file and why."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read: {error.strerror}", where=str(path)) from error
    except ValueError as error:
        raise _no_ledger(path, f"it is not JSON ({error})") from error
    if not isinstance(document, dict) or "schema_version" not in document:
        raise _no_ledger(path, "it has no schema_version")
    version = document["schema_version"]
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"the file has schema version {version!r}, this harness reads {SCHEMA_VERSION}",
            where=str(path),
            hint="write it anew with harness crash",
        )
    fault = _flaw(document)
    if fault:
        raise _no_ledger(path, fault)
    return document


def _no_ledger(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"this is no ledger of a crash exploration: {reason}",
        where=str(path),
        hint="write one with harness crash",
    )


def _flaw(document: Mapping[str, Any]) -> str:
    """What a document lacks or contradicts, empty when it is whole."""
    for name, kind in SHAPE.items():
        if not isinstance(document.get(name), kind):
            return f"{name} is missing or not what it should be"
    for place in ("rows", "missing", "failures", "unknowns"):
        for number, entry in enumerate(document[place]):
            if not isinstance(entry, dict) or not entry.keys() >= ENTRY_KEYS:
                return f"{place}[{number}] lacks one of {', '.join(sorted(ENTRY_KEYS))}"
    if len(document["steps"]) < 2:
        return "steps does not begin and end"
    outcomes = {entry["outcome"] for entry in (*document["rows"], *document["missing"])}
    wrong = document["verdict"] == "pass" and outcomes != {"passed"}
    return "its verdict is pass, but not all of its rows passed" if wrong else ""
