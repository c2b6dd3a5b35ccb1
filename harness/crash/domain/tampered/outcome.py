"""What a run came to on a database that somebody tampered with: refused by name, or golden."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from harness.core.direction import Direction
from harness.core.exit_status import ExitStatus
from harness.crash import runners, state
from harness.crash.run.outcome import FaultOutcome
from harness.crash.setup import Setup
from harness.database import admin
from harness.database.fingerprint import Fingerprint
from harness.database.ledger_names import TABLES, identifier
from harness.fault.process import Ending

if TYPE_CHECKING:
    from harness.plan import Plan


@dataclass
class ChangeWitness:
    """Notices whether anything was changed in a database, as cheaply as it can be told."""

    ground: Setup
    dsn: str
    fingerprint: Fingerprint | None

    def __post_init__(self) -> None:
        self._seen = self._look()

    def changes(self) -> tuple[str, ...]:
        """What was changed since the witness began to look."""
        before, now = self._seen, self._look()
        if now == before:
            return ()
        ledger = [f"{name} was changed" for name in TABLES if now[name] != before[name]]
        if self.fingerprint is not None:
            ledger += state.compared(self.ground, self.fingerprint, self.dsn, "after the refusal")
        return tuple(ledger)

    def _look(self) -> dict[str, Any]:
        """The ledger's tables as text, and which transaction is next: none has written."""
        found: dict[str, Any] = {}
        with admin.connection(self.dsn) as conn:
            for name in TABLES:
                table = identifier(name)
                query = sql.SQL("select md5(string_agg(t::text, '' order by t::text)) from {} as t")
                try:
                    found[name] = conn.execute(query.format(table)).fetchone()
                except psycopg.Error as error:  # damaged: it cannot be read before, nor after
                    found[name] = error.sqlstate
            row = conn.execute("select pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
        found["next"] = row
        return found


def attempt(
    ground: Setup,
    server_dsn: str,
    direction: Direction,
    dsn: str,
    *,
    names: str,
    kept: Fingerprint | None,
    plan: Plan | None = None,
    must_refuse: bool = False,
) -> FaultOutcome:
    """Run on a tampered database: it must refuse, naming what `names` matches, or end golden.

    `kept` is the fingerprint that a refusal must leave as it is.
    """
    witness = ChangeWitness(ground, dsn, kept)
    ending = runners.run(ground, direction, dsn, plan)
    state.settle(server_dsn, admin.dbname(dsn))
    verb = "migrate" if direction == "forward" else "rollback"
    evidence = f"{verb}: status {ending.status}, {ending.error or 'no message'}"
    if ending.done:
        reasons = _golden(ground, direction, dsn, verb, must_refuse)
    else:
        reasons = (*_named(ending, verb, names), *witness.changes())
    return FaultOutcome(True, evidence, reasons, endings=(ending,))


def _golden(
    ground: Setup, direction: Direction, dsn: str, verb: str, must_refuse: bool
) -> tuple[str, ...]:
    expected = state.end_of(ground, direction, dsn)
    wrong = state.compared(ground, expected, dsn, f"{verb} went on:")
    if must_refuse:
        wrong.insert(0, f"{verb} went on as if nothing had been done to it")
    return tuple(wrong)


def _named(ending: Ending, verb: str, names: str) -> tuple[str, ...]:
    if ending.status != ExitStatus.FAILED:
        return (f"{verb} ended with status {ending.status}, not 1: {ending.error or 'a crash'}",)
    if not re.search(names, ending.error):
        return (f"{verb} does not name it: {ending.error}",)
    return ()
