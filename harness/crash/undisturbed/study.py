"""How a plan goes when nothing disturbs it: its ends, what differs by itself, where it leads back.

Everything that is struck is held against this. It is looked at twice, the second time with gaps in
every sequence: what two such runs do not share is not asked of a struck one, and is named.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from harness.core.direction import Direction
from harness.core.errors import Refused
from harness.crash.golden_note import Note
from harness.crash.model import START
from harness.crash.setup import Setup
from harness.crash.templates import Templates
from harness.crash.undisturbed import courses, sequences, way_back
from harness.crash.undisturbed.courses import Course
from harness.database import admin, fingerprint, template
from harness.database.fingerprint import Fingerprint, Omitted
from harness.subject.protocol import Position, has_direction

Omit = dict[str, dict[str, Literal["value", "whole"]]]
SHORTEST, AS_LONG = 30.0, 10  # seconds that a run may take: so many times an undisturbed one
CHANCE = re.compile(r"\brandom|\bgen_random|\buuid_generate", re.IGNORECASE)
MORE = 2  # further runs where chance is at work: one may meet the same by chance
HINT = "a struck run can only be held against runs that end alike; look for clocks and chance"


@dataclass
class Study:
    """Undisturbed runs on one server, and what they showed."""

    ground: Setup
    server_dsn: str
    plain: Course
    directions: tuple[Direction, ...]
    twice: bool
    omit: Omit = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    _prints: dict[str, Fingerprint] = field(default_factory=dict)

    def another(self, *, gaps: bool) -> Course:
        """The same once more, from a baseline of its own where that may differ."""
        before = self.plain.ends["before"]
        if self.twice:
            name = admin.unique_name("harness_again")
            before = admin.dbname(self.ground.furnish(self.server_dsn, name))
            admin.end_connections(self.server_dsn, before)
            self.names.append(before)
        course = courses.take(
            self.ground, self.server_dsn, before, gaps=gaps, directions=self.directions
        )
        self.names += [name for end, name in course.ends.items() if end != "before"]
        return course

    def dsn(self, name: str) -> str:
        """Of one of the databases."""
        return admin.with_dbname(self.server_dsn, name)

    def learn(self, other: Course) -> None:
        """Leave out what differs between the plain course and another one.

        Raises Refused when rows differ all the same, or anything but rows and sequences.
        """
        for end in self.plain.ends.keys() & other.ends.keys():
            one, two = self.plain.ends[end], other.ends[end]
            relations = self._unlike(one, two, end)
            for columns in (fingerprint.differing_columns, _by_row):
                if relations:
                    self._leave_out(columns(self.dsn(one), self.dsn(two), relations))
                    relations = self._unlike(one, two, end)
            if relations:
                text = f"two undisturbed runs end differently: rows of {', '.join(relations)}"
                raise Refused(text, hint=HINT)

    def _leave_out(self, found: Omitted) -> None:
        for relation, columns in found.items():
            self.omit.setdefault(relation, {}).update(columns)
        self._prints.clear()

    def identity(self, name: str) -> Fingerprint:
        """The fingerprint of one of the databases, without what is left out."""
        if name not in self._prints:
            self._prints[name] = fingerprint.take(
                self.dsn(name), omit=self.omit, exclude=self.ground.subject.bookkeeping
            )
        return self._prints[name]

    def _unlike(self, one: str, two: str, end: str) -> list[str]:
        """The relations whose rows differ; Refused where anything else does, but sequences."""
        found = fingerprint.compare(self.identity(one), self.identity(two))
        for each in found:
            rows = each.kind == "data" and each.attribute == "contents"
            if not rows and each.kind != "sequences":
                raise Refused(f"two undisturbed runs end differently ({end}): {each}", hint=HINT)
        return [each.object.removeprefix("table ") for each in found if each.kind == "data"]


def _by_row(one: str, two: str, relations: Collection[str]) -> Omitted:
    """The columns that differ in rows of the same key: the same values may stand in other rows."""
    found: Omit = {}
    for relation in relations:
        for each in fingerprint.rows_that_differ(one, two, relation, limit=1000):
            if each.key is not None and each.attribute not in ("row", "rows like this"):
                found.setdefault(relation, {})[each.attribute] = "whole"
    return found


def studied(
    ground: Setup, server_dsn: str, *, twice: bool
) -> tuple[Setup, Templates, tuple[Note, ...]]:
    """The ground with its ends, a bench to begin from, and what there is to say of the plan.

    `twice`: the baseline is made twice too, where domains make their own. StepFailed when the plan
    cannot be run; Refused when no two of its runs end alike.
    """
    source = admin.dbname(ground.furnish(server_dsn, admin.unique_name("harness_source")))
    admin.end_connections(server_dsn, source)
    directions: tuple[Direction, ...] = ("forward",)
    if ground.directions != ("cleanup",) and has_direction(ground.subject, "rollback"):
        directions = (*directions, "rollback")
    if ground.goes("cleanup"):
        directions = (*directions, "cleanup")
    began = time.monotonic()
    plain = courses.take(ground, server_dsn, source, gaps=False, directions=directions)
    if not ground.resumes:
        seconds = (time.monotonic() - began) / len(directions)
        ground = replace(
            ground, seconds=seconds, limit=min(ground.limit, max(SHORTEST, AS_LONG * seconds))
        )
    study = Study(ground, server_dsn, plain, directions, twice)
    study.names += [plain.ends[end] for end in ("back", "cleaned") if end in plain.ends]
    with courses.dropped(server_dsn, study.names):
        other = study.another(gaps=True)
        drawn = _drawn(plain, other)
        study.learn(other)
        notes = list(_varying(study, drawn))
        found = _with_ends(replace(ground, omit=study.omit, drawn=drawn), study)
        back = plain.ends.get("back")
        found, told = way_back.explained(
            found, plain, server_dsn, study.identity(back) if back else None
        )
        hidden = _hidden(found, server_dsn, source) if study.omit else frozenset()
    place = Templates(server_dsn, source, plain.ends["after"])
    return replace(found, hidden=hidden), place, (*told, *notes)


def _drawn(plain: Course, other: Course) -> frozenset[str]:
    pairs = zip(plain.watches, other.watches, strict=False)
    return frozenset(name for pair in pairs for name in sequences.drawn(*pair))


def _varying(study: Study, drawn: frozenset[str]) -> Iterator[Note]:
    """Say which columns are compared without their values, and why."""
    ground = study.ground
    steps = ground.plan.steps if ground.resumes else ()
    texts = (s.text for step in steps for s in step.forward.statements)
    if study.omit or (not ground.lean and any(CHANCE.search(text) for text in texts)):
        for _ in range(MORE):
            study.learn(study.another(gaps=True))
    if not study.omit:
        return
    alone = replace(study, omit={}, _prints={})
    alone.learn(study.another(gaps=False))
    known, by_itself = study.omit, alone.omit
    numbers = {t: {c: p for c, p in cs.items() if c not in by_itself.get(t, {})}
               for t, cs in known.items()}  # fmt: skip
    others = {t: {c: p for c, p in cs.items() if c in by_itself.get(t, {})}
              for t, cs in known.items()}  # fmt: skip
    if text := _listed(others):
        reason = f"two undisturbed runs do not share {text}: compared without these values"
        yield Note("varies", "info", "forward", START, reason)
    if text := _listed(numbers):
        reason = (
            f"numbers drawn from {', '.join(sorted(drawn)) or 'sequences'} stand in {text}: a"
            " struck transaction keeps the numbers it drew, so these are compared without values"
        )
        yield Note("numbers", "info", "forward", START, reason)


def _listed(omit: Mapping[str, Mapping[str, str]]) -> str:
    return ", ".join(f"{table}.{column}" for table, some in sorted(omit.items()) for column in some)


def _with_ends(ground: Setup, study: Study) -> Setup:
    """The ground with the fingerprints of its ends, and what their columns hold."""
    prints = {end: study.identity(name) for end, name in study.plain.ends.items()}
    sums: dict[str, Any] = {
        prints[end].data: fingerprint.column_sums(study.dsn(name), prints[end].relations)
        for end, name in study.plain.ends.items()
        if end != "back"
    }
    return replace(
        ground,
        before=prints["before"],
        after=prints["after"],
        cleaned=prints.get("cleaned"),
        sums=sums,
        positions={
            end: _position(ground, study.dsn(name)) for end, name in study.plain.ends.items()
        },
    )


def _position(ground: Setup, dsn: str) -> Position | None:
    with admin.connection(dsn) as conn:
        conn.execute("set search_path = ''")
        return ground.subject.position(conn)


def _hidden(ground: Setup, server_dsn: str, source: str) -> frozenset[tuple[str, str]]:
    """Steps that change nothing but what is left out: direction and step."""
    found: set[tuple[str, str]] = set()
    dsn = template.clone(server_dsn, source)
    try:
        ways: tuple[Direction, ...] = ("forward", "rollback") if ground.returns else ("forward",)
        for direction in ways:
            found |= {(direction, step) for step in _unseen(ground, direction, dsn)}
    finally:
        admin.drop(server_dsn, admin.dbname(dsn))
    return frozenset(found)


def _unseen(ground: Setup, direction: Direction, dsn: str) -> list[str]:
    steps: list[str] = []
    last = [(fingerprint.take(dsn, workers=1), ground.identity(dsn))]

    def listen(event: Any) -> None:
        if event.kind == "step_done":
            now = (fingerprint.take(dsn, workers=1), ground.identity(dsn))
            if now[0].data != last[-1][0].data and now[1] == last[-1][1]:
                steps.append(str(event.step))
            last.append(now)

    courses.run_on(ground, direction, dsn, listen)
    return steps
