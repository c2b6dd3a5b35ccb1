"""cleanup: after the retention, drop what only the way back and old clients needed."""

from __future__ import annotations

import re
from pathlib import Path

from psycopg import sql

from harness.core.errors import Refused
from harness.plan import Plan, Script
from harness.runner import claim, ledger
from harness.runner import ledger_statements as statements
from harness.runner.connection import Connection
from harness.runner.context import RunContext
from harness.runner.ledger import Ledger, LedgerRun
from harness.runner.outcome import OnEvent, Stop, never, silent
from harness.runner.preflight import StartFacts, refuse_without_rights
from harness.runner.reconnect import attend
from harness.runner.rules import reason_given, refuse_early
from harness.runner.session import RunnerSession
from harness.runner.steps import run_step

NAME = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
OBJECTS = Path(__file__).with_name("objects.sql")


def cleanup(
    dsn: str,
    plan: Plan,
    *,
    override_retention: str | None = None,
    on_event: OnEvent | None = None,
    stop: Stop = never,
) -> list[str]:
    """Run the plan's clean-up scripts and give what they dropped; nothing the second time."""
    reason = reason_given(override_retention, "--override-retention")
    context = RunContext(plan, on_event or silent, stop)
    return attend(dsn, context, lambda session: _clean(session, reason))


def _clean(session: RunnerSession, reason: str | None) -> list[str]:
    context = session.context
    known = claim.settle_ledger(session)
    run = _migrated(known)
    begun = known.cleanup
    if begun is not None and begun.completed:
        if context.progress == 0:
            context.tell("nothing", message="the database is cleaned up already")
            return []
        return dropped(session.lock, begun.id)
    if begun is not None:
        claim.claim_run(session, known, begun)
        context.tell("resumed", message=f"run {begun.id}")
    else:
        refuse_early(run, session.plan, reason)
        refuse_without_rights(StartFacts(session.lock, session.plan))
        claim.start_run(session, "cleanup", run, reason, known)
        context.tell("run_started", message=f"run {session.run.id}")
    done = known.checkpoints(session.run)
    for position, script in enumerate(session.plan.cleanup, 1):
        step = script.name.removesuffix(".sql")
        run_step(session, step, position, script, done, Drops(session, step, script))
    claim.complete_run(session)
    context.tell("completed", message=f"run {session.run.id}")
    return dropped(session.work.conn, session.run.id)


def _migrated(known: Ledger) -> LedgerRun:
    if known.state != "migrated" or known.current is None:
        raise Refused(
            f"the database is {known.state}: only a finished migration is cleaned up",
            hint="see `harness status`",
        )
    return known.current


class Drops:
    """Notes which objects a script drops, in the script's own transaction."""

    def __init__(self, session: RunnerSession, step: str, script: Script) -> None:
        self._session, self._step, self._script = session, step, script
        self._before: set[tuple[str, str | None]] = set()

    def before(self) -> None:
        """Remember what is there."""
        self._before = self._objects()

    def after(self) -> list[sql.Composed]:
        """Events that name what is gone; what belonged to a dropped table goes unsaid.

        Refused when a CASCADE took something along that the script does not name.
        """
        gone = self._before - self._objects()
        names = {name for name, _ in gone}
        dropped = sorted(name for name, owner in gone if owner not in names)
        self._refuse_unsaid(dropped)
        run = self._session.run
        return [
            statements.event_sql(run.id, run.epoch, "dropped", self._step, name) for name in dropped
        ]

    def _refuse_unsaid(self, dropped: list[str]) -> None:
        statements = self._script.statements
        if any(statement.tag == "DoStmt" for statement in statements):
            return  # what it executes cannot be read
        said = " ".join(statement.text for statement in statements)
        words = {part.strip('"').lower() for part in NAME.findall(said)}
        unsaid = [name for name in dropped if (leaf := _leaf(name)) and leaf not in words]
        if unsaid:
            raise Refused(
                f"{self._step} would take along what it does not name: {', '.join(unsaid[:5])}",
                hint="change or drop it first, or name it in the script; then `harness cleanup`"
                " goes on",
            )

    def _objects(self) -> set[tuple[str, str | None]]:
        rows = self._session.work.execute(OBJECTS.read_bytes()).fetchall()
        return {(str(name), None if owner is None else str(owner)) for name, owner in rows}


def _leaf(name: str) -> str | None:
    """The last part of an object's name; None of what goes with a column without a word."""
    kind, _, rest = name.partition(" ")
    if kind in ("index", "sequence"):
        return None
    named = NAME.findall(rest.partition("(")[0].partition(" on ")[0])
    return named[-1].strip('"').lower() if named else None


def dropped(conn: Connection, run_id: int) -> list[str]:
    """What the clean-up run dropped, in order."""
    return [message for _, _, message in ledger.events(conn, run_id, ["dropped"])]
