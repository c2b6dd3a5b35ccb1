"""The state a crash left, and what becomes of it: resumed, and rolled back.

Equal states need exploring once. Their key is the database's fingerprint and what the ledger says
of the way gone; who ran it, when and how often is no part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from harness.core.direction import Direction
from harness.core.errors import Refused
from harness.core.exit_status import ExitStatus
from harness.core.poll import wait_until
from harness.crash import runners
from harness.crash.model import Verdict
from harness.crash.setup import Setup
from harness.database import admin, fingerprint, template
from harness.database.fingerprint import Difference, Fingerprint
from harness.runner import ledger
from harness.subject.protocol import Position

SHOWN = 3
UNTOLD = "no account of the way gone"


@dataclass(frozen=True)
class State:
    """A database's logical state. `way` is what its accounts say, in words for a person."""

    key: str
    way: str
    fingerprint: Fingerprint
    position: Position | None = None


@dataclass(frozen=True)
class StateVerdict:
    """What became of a state; `reason` says why it is no pass."""

    verdict: Verdict
    state: str
    reason: str = ""


OTHERS = (
    "select 1 from pg_catalog.pg_stat_activity where datname = %s"
    " and pid <> pg_catalog.pg_backend_pid()"
)


def settle(server_dsn: str, name: str, limit: float = 30.0) -> None:
    """Wait until no backend of a database is left: what a dead runner began is done or undone."""
    with admin.connection(server_dsn) as conn:
        alone(conn, name, limit)


def alone(conn: psycopg.Connection[Any], name: str, limit: float = 30.0) -> None:
    """Wait until no backend but the connection's own is left in a database."""
    wait_until(
        lambda: conn.execute(OTHERS, [name]).fetchone() is None,
        limit,
        f"the end of all use of {name}",
        pause=0.002,
    )


def identify(ground: Setup, dsn: str) -> State:
    """The logical state of a database that nobody works on."""
    with admin.connection(dsn) as conn:
        conn.execute("set search_path = ''")
        position = ground.subject.position(conn)
    found = ground.identity(dsn)
    gone = None if position is None else position.value
    text = json.dumps([found.identity, gone])
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return State(key, position.words if position else UNTOLD, found, position)


@dataclass
class Oracle:
    """Judges crashed databases on one server; remembers the states it has judged."""

    ground: Setup
    server_dsn: str
    memory: dict[tuple[Direction, str], StateVerdict] = field(default_factory=dict)

    def judge(self, direction: Direction, dsn: str, found: State | None = None) -> StateVerdict:
        """Go on from a state, and back from it, and say whether both end where they should.

        forward: resume gives the migrated fingerprint, and rollback from the same state the one
        from before. rollback: resume gives the one from before. cleanup: resume gives that of a
        migration cleaned up, and rollback is refused. The database is used up by it.
        """
        settle(self.server_dsn, admin.dbname(dsn))
        try:
            found = found or identify(self.ground, dsn)
        except Refused as refusal:  # a ledger that contradicts itself: no run can go on from there
            return StateVerdict("fail", "unreadable", str(refusal))
        known = self.memory.get((direction, found.key))
        if known is None:
            reasons = self._explore(direction, dsn, found)
            verdict: Verdict = "fail" if reasons else "pass"
            name = f"{found.way} ({found.key[:6]})"
            known = StateVerdict(verdict, name, "; ".join(reasons))
            self.memory[direction, found.key] = known
        return known

    def goes_back(self, dsn: str) -> list[str]:
        """Roll a copy of a forward state back; what differs from where that should lead."""
        if not self.ground.returns:
            return []
        copy = template.clone(self.server_dsn, admin.dbname(dsn))
        try:
            return self._goes("rollback", copy)
        finally:
            admin.drop(self.server_dsn, admin.dbname(copy))

    def stays(self, dsn: str) -> list[str]:
        """Why a clean-up that has begun could be rolled back; empty when that is refused."""
        copy = template.clone(self.server_dsn, admin.dbname(dsn))
        try:
            with admin.connection(copy) as conn:
                if ledger.read(conn).cleanup is None:
                    return []  # it had not begun: the migration is as it was
            ending = runners.run(self.ground, "rollback", copy)
            settle(self.server_dsn, admin.dbname(copy))
            if ending.status == ExitStatus.FAILED and ending.kind == "Refused":
                return []
            return [f"a clean-up that had begun was rolled back, with status {ending.status}"]
        finally:
            admin.drop(self.server_dsn, admin.dbname(copy))

    def _explore(self, direction: Direction, dsn: str, found: State) -> list[str]:
        if direction == "rollback":
            return self._goes("rollback", dsn)
        if direction == "cleanup":
            return [*self.stays(dsn), *self._goes("cleanup", dsn)]
        copy = template.clone(self.server_dsn, admin.dbname(dsn))
        try:
            forward = self._goes("forward", copy)
            back = self.ground.returns and not self._is_untouched(found)
            return [*forward, *(self._goes("rollback", dsn) if back else [])]
        finally:
            admin.drop(self.server_dsn, admin.dbname(copy))

    def _is_untouched(self, found: State) -> bool:
        """Whether a run without checkpoints has left nothing: there is nothing to go back from."""
        ground = self.ground
        untouched = (found.fingerprint, found.position) == (
            ground.before,
            ground.positions.get("before"),
        )
        return untouched and not ground.resumes

    def _goes(self, direction: Direction, dsn: str) -> list[str]:
        """Run in a direction and compare the end with what it should be."""
        expected = end_of(self.ground, direction, dsn)
        verb = "rollback" if direction == "rollback" else "resume"
        try:
            ending = runners.run(self.ground, direction, dsn)
        except TimeoutError as error:
            return [f"{verb}: {error}"]
        if not ending.done:
            return [f"{verb} ended with status {ending.status}: {ending.error or 'no message'}"]
        settle(self.server_dsn, admin.dbname(dsn))
        unlike = compared(self.ground, expected, dsn, f"after {verb}")
        return unlike or unlike_position(self.ground, direction, dsn, f"after {verb}")


ENDS: Mapping[Direction, str] = {"forward": "after", "rollback": "back", "cleanup": "cleaned"}
"""The name of the end that a run in a direction comes to."""


def unlike_end(ground: Setup, direction: Direction, dsn: str, when: str) -> list[str]:
    """What of a database is not as at the end of an undisturbed run; the first few in words."""
    unlike = compared(ground, end_of(ground, direction, dsn), dsn, when)
    return unlike or unlike_position(ground, direction, dsn, when)


def unlike_position(ground: Setup, direction: Direction, dsn: str, when: str) -> list[str]:
    """How a subject's accounts differ from those at the end of an undisturbed run, in words.

    A ledger counts runs, which a resumed run has in other numbers: it is not compared.
    """
    expected = ground.positions.get(ENDS[direction])
    if ground.resumes or expected is None:
        return []
    with admin.connection(dsn) as conn:
        conn.execute("set search_path = ''")
        found = ground.subject.position(conn)
    if found == expected:
        return []
    said = found.words if found else UNTOLD
    return [f"{when} its own account says: {said}; it should say: {expected.words}"]


def end_of(ground: Setup, direction: Direction, dsn: str) -> Fingerprint | None:
    """What a run in a direction must end with, from where a database stands.

    None where no undisturbed run can tell: it goes back from within a step that it cannot undo.
    """
    if direction == "forward":
        assert ground.after is not None, "the ground has no fingerprints"
        return ground.after
    if direction == "cleanup":
        return ground.cleaned
    if not ground.returns or not ground.backs or not ground.resumes:
        return ground.before if ground.returns else None
    with admin.connection(dsn) as conn:
        known = ledger.read(conn)
    if known.forward is None:
        return ground.before
    rows = known.checkpoints(known.forward).values()
    halfway = {row.step for row in rows if row.state != "done"}
    return None if halfway & ground.inexact else ground.backs[known.forward.steps_done]


def compared(ground: Setup, expected: Fingerprint | None, dsn: str, when: str) -> list[str]:
    """What of a database is not as expected, the first few in words; nothing without an answer.

    Where rows hold other values it says in which columns, if the ground knows what they held.
    """
    if expected is None:
        return []
    found = ground.identity(dsn)
    if expected == found:
        return []
    held = ground.sums.get(expected.data, {})
    return differences(expected, found, when, ground.drawn, lambda name: _columns(held, dsn, name))


def _columns(held: Mapping[str, Mapping[str, Any]], dsn: str, relation: str) -> list[str]:
    """The columns of a relation that hold other values than they held."""
    if relation not in held:
        return []
    now = fingerprint.column_sums(dsn, [relation]).get(relation, {})
    known = held[relation]
    return sorted(name for name in known.keys() & now.keys() if known[name] != now[name])


def differences(
    expected: Fingerprint,
    found: Fingerprint,
    when: str,
    drawn: Container[str] = (),
    columns: Callable[[str], list[str]] = lambda _: [],
) -> list[str]:
    """What differs from what was expected, the first few in words.

    Sequences that are `drawn` from may be ahead: a struck transaction keeps its numbers.
    """
    if expected == found:
        return []
    every = [one for one in fingerprint.compare(expected, found) if not is_gap(one, drawn)]
    shown = [f"{when} {words_of(one, columns)}" for one in every[:SHOWN]]
    more = len(every) - SHOWN
    return [*shown, f"and {more} more differences"] if more > 0 else shown


def is_gap(one: Difference, drawn: Container[str]) -> bool:
    """Whether a sequence gives the same next number, or is drawn from and gives a later one."""
    name = one.object.removeprefix("sequence ")
    later = one.note == "ahead" and name in drawn
    return one.kind == "sequences" and (later or one.note == "the next number is the same")


def words_of(one: Difference, columns: Callable[[str], list[str]] = lambda _: []) -> str:
    """A difference in words; of rows without what they were summed up to."""
    if one.kind != "data" or one.attribute != "contents":
        return str(one)
    names = columns(one.object.removeprefix("table "))
    what = f"other values in {', '.join(names)}" if names else "rows that are not the same"
    return f"data: {one.object}: {what}"
