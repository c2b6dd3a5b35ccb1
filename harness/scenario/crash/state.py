"""The state a crash left, and what becomes of it: resumed, and rolled back.

Equal states need exploring once. Their key is the database's fingerprint and what the ledger says
of the way gone; who ran it, when and how often is no part of it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import psycopg

from harness.database import admin, fingerprint, template
from harness.database.fingerprint import Fingerprint
from harness.errors import Refused
from harness.poll import wait_until
from harness.runner import ledger
from harness.scenario.crash import runners
from harness.scenario.crash.ground import Ground
from harness.scenario.crash.model import Direction, Verdict

SHOWN = 3


@dataclass(frozen=True)
class State:
    """A database's logical state. `way` is what its ledger says, in words for a person."""

    key: str
    way: str
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Judgement:
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


def way(conn: psycopg.Connection[Any]) -> tuple[Any, ...]:
    """How far the ledger says the runs have come: comparable between databases and runs."""
    known = ledger.read(conn)
    runs = tuple(
        (run.id, run.direction, run.undoes, run.state, run.steps_done) for run in known.runs
    )
    steps = tuple(
        (run_id, row.step, row.state, row.last_key, row.rows, row.batches)
        for run_id, rows in sorted(known.steps.items())
        for row in sorted(rows.values(), key=lambda row: row.position)
    )
    return runs, steps


def identify(dsn: str) -> State:
    """The logical state of a database that nobody works on."""
    with admin.connection(dsn) as conn:
        conn.execute("set search_path = ''")
        gone = way(conn)
    found = fingerprint.take(dsn, workers=1)
    text = json.dumps([found.identity, gone])
    return State(hashlib.sha256(text.encode()).hexdigest()[:16], _words(gone), found)


def _words(gone: tuple[Any, ...]) -> str:
    runs, steps = gone
    if not runs:
        return "no run begun"
    number, direction, _, state, done = runs[-1]
    open_steps = [f"{row[1]} {row[2]}" for row in steps if row[0] == number and row[2] != "done"]
    text = f"{direction} {state}, {done} steps done"
    return f"{text}, {open_steps[-1]}" if open_steps else text


@dataclass
class Oracle:
    """Judges crashed databases on one server; remembers the states it has judged."""

    ground: Ground
    server_dsn: str
    memory: dict[tuple[Direction, str], Judgement] = field(default_factory=dict)

    def judge(self, direction: Direction, dsn: str, found: State | None = None) -> Judgement:
        """Go on from a state, and back from it, and say whether both end where they should.

        forward: resume gives the migrated fingerprint, and rollback from the same state the one
        from before. rollback: resume gives the one from before. The database is used up by it.
        """
        settle(self.server_dsn, admin.dbname(dsn))
        try:
            found = found or identify(dsn)
        except Refused as refusal:  # a ledger that contradicts itself: no run can go on from there
            return Judgement("fail", "unreadable", str(refusal))
        known = self.memory.get((direction, found.key))
        if known is None:
            reasons = self._explore(direction, dsn)
            verdict: Verdict = "fail" if reasons else "pass"
            name = f"{found.way} ({found.key[:6]})"
            known = Judgement(verdict, name, "; ".join(reasons))
            self.memory[direction, found.key] = known
        return known

    def goes_back(self, dsn: str) -> list[str]:
        """Roll a copy of a forward state back; what differs from the database before."""
        assert self.ground.before is not None
        copy = template.clone(self.server_dsn, admin.dbname(dsn))
        try:
            return self._goes("rollback", copy, self.ground.before)
        finally:
            admin.drop(self.server_dsn, admin.dbname(copy))

    def _explore(self, direction: Direction, dsn: str) -> list[str]:
        before, after = self.ground.before, self.ground.after
        assert before is not None
        assert after is not None
        if direction == "rollback":
            return self._goes("rollback", dsn, before)
        copy = template.clone(self.server_dsn, admin.dbname(dsn))
        try:
            return [*self._goes("forward", copy, after), *self._goes("rollback", dsn, before)]
        finally:
            admin.drop(self.server_dsn, admin.dbname(copy))

    def _goes(self, direction: Direction, dsn: str, expected: Fingerprint) -> list[str]:
        """Run in a direction and compare the end with what it should be."""
        verb = "resume" if direction == "forward" else "rollback"
        try:
            ending = runners.run(self.ground, direction, dsn)
        except TimeoutError as error:
            return [f"{verb}: {error}"]
        if ending.status != 0:
            return [f"{verb} ended with status {ending.status}: {ending.error or 'no message'}"]
        settle(self.server_dsn, admin.dbname(dsn))
        return differences(expected, fingerprint.take(dsn, workers=1), f"after {verb}")


def differences(expected: Fingerprint, found: Fingerprint, when: str) -> list[str]:
    """What differs from what was expected, the first few in words."""
    if expected == found:
        return []
    all_of_them = [str(one) for one in fingerprint.compare(expected, found)]
    shown = [f"{when} {one}" for one in all_of_them[:SHOWN]]
    more = len(all_of_them) - SHOWN
    return [*shown, f"and {more} more differences"] if more > 0 else shown
