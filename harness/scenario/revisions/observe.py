"""Run a script statement by statement; after each, what it holds, wrote anew and read."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from harness.scenario.revisions.apply import SqlError, open_session, told
from harness.scenario.revisions.statements import ForeignStatement, UnparsedError, needs_psql, split
from harness.subject.adapter.model import ForeignScript

_LOOK: Final = Path(__file__).with_suffix(".sql").read_text("utf-8")
_KNOWN: Final = """
SELECT c.oid::int8, n.nspname || '.' || c.relname, c.relfilenode::text, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
SKIPPED: Final = "already exists, skipping"


@dataclass(frozen=True)
class LockTaken:
    """A lock on a relation that was there before; held until the end of its transaction."""

    relation: str
    mode: str
    line: int
    seconds: float


@dataclass(frozen=True)
class StatementObserved:
    """A statement and what it did to relations that were there before.

    `rewritten` names those that it wrote anew; `read` has rows that sequential scans read, and
    `changed` rows that were updated or deleted, by relation. `skipped` is what the server said of
    an IF NOT EXISTS that found something.
    """

    statement: ForeignStatement
    seconds: float
    locks: tuple[LockTaken, ...] = ()
    rewritten: tuple[str, ...] = ()
    read: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScriptObservation:
    """A whole script observed; `unseen` says why it could not be, or not to its end."""

    statements: tuple[StatementObserved, ...] = ()
    unseen: str = ""


class Observer:
    """Sends statements over one connection and looks after each."""

    def __init__(self, conn: psycopg.Connection[Any], script: ForeignScript) -> None:
        self._conn, self._script = conn, script
        self._notices: list[str] = []
        conn.add_notice_handler(lambda diag: self._notices.append(diag.message_primary or ""))
        rows = conn.execute(_KNOWN).fetchall()
        self._names = {str(oid): name for oid, name, _, _ in rows}
        self._files = {str(oid): node for oid, _, node, kind in rows if kind in ("r", "m")}
        self._open: list[StatementObserved] = []
        self._held: set[str] = set()
        self._counted: dict[str, list[int]] = {}
        self._ends: list[float] = []
        self.done: list[StatementObserved] = []

    def run(self, statements: Sequence[ForeignStatement]) -> SqlError | None:
        """Send them; the first error."""
        inside = self._script.transaction or self._script.sending == "whole"
        if inside and not any(one.control or one.alone for one in statements):
            return self._transaction(statements)
        for one in statements:
            error = self._control(one) if one.control else self._single(one)
            if error is not None:
                return error
        return None

    def _transaction(self, statements: Sequence[ForeignStatement]) -> SqlError | None:
        self._begin()
        for one in statements:
            error = self._send(one)
            if error is not None:
                self._conn.execute("rollback")
                return error
        self._conn.execute("commit")
        self._end()
        return None

    def _control(self, one: ForeignStatement) -> SqlError | None:
        error = self._plain(one)
        if one.control == "begin":
            self._begin(opened=True)
        else:
            self._end()
        return error

    def _single(self, one: ForeignStatement) -> SqlError | None:
        if one.alone:
            return self._plain(one)
        if self._conn.info.transaction_status.name == "IDLE":
            return self._transaction([one])
        return self._send(one)

    def _begin(self, *, opened: bool = False) -> None:
        if not opened:
            self._conn.execute("begin")
        self._open, self._held, self._counted, self._ends = [], set(), {}, []

    def _end(self) -> None:
        """The transaction has ended: from here on it is known how long its locks were held."""
        now = time.monotonic()
        for one, began in zip(self._open, self._ends, strict=True):
            held = tuple(
                LockTaken(lock.relation, lock.mode, lock.line, now - began) for lock in one.locks
            )
            self.done.append(StatementObserved(**{**vars(one), "locks": held}))
        self._open, self._ends = [], []

    def _plain(self, one: ForeignStatement) -> SqlError | None:
        began = time.monotonic()
        error = self._execute(one)
        self.done.append(StatementObserved(one, time.monotonic() - began, skipped=self._skipped()))
        return error

    def _send(self, one: ForeignStatement) -> SqlError | None:
        began = time.monotonic()
        error = self._execute(one)
        seconds = time.monotonic() - began
        if error is None:
            self._open.append(self._looked(one, seconds))
            self._ends.append(began)
        return error

    def _execute(self, one: ForeignStatement) -> SqlError | None:
        try:
            self._conn.execute(one.text.encode())
        except psycopg.Error as failure:
            return told(failure, ForeignScript(self._script.path, one.text, one.line), one.text)
        return None

    def _looked(self, one: ForeignStatement, seconds: float) -> StatementObserved:
        skipped = self._skipped()
        known = [int(oid) for oid in self._names]
        row: Any = self._conn.execute(_LOOK, {"known": known}).fetchone()
        locks, files, counts = (part or {} for part in row)
        new = [key for key in locks if key not in self._held]
        self._held.update(new)
        taken = (key.split(" ", 1) for key in new)
        rewritten = [oid for oid, node in files.items() if self._files.get(oid) != node]
        self._files.update(files)
        read, changed = self._grown(counts, 0), self._grown(counts, 1)
        self._counted = counts
        return StatementObserved(
            statement=one,
            seconds=seconds,
            locks=tuple(LockTaken(self._names[oid], mode, one.line, 0.0) for oid, mode in taken),
            rewritten=tuple(self._names[oid] for oid in rewritten),
            read=read,
            changed=changed,
            skipped=skipped,
        )

    def _grown(self, counts: Mapping[str, list[int]], place: int) -> dict[str, int]:
        grown = {
            self._names[oid]: values[place] - self._counted.get(oid, [0, 0, 0])[place]
            for oid, values in counts.items()
        }
        return {name: number for name, number in grown.items() if number > 0}

    def _skipped(self) -> tuple[str, ...]:
        found = tuple(said for said in self._notices if said.endswith(SKIPPED))
        self._notices.clear()
        return found


def observe(dsn: str, script: ForeignScript) -> ScriptObservation:
    """Run a script in its own transactions, observed; it is committed like a run of its tool."""
    if needs_psql(script.text):
        return ScriptObservation(unseen="it has commands of psql, so it was not taken apart")
    try:
        statements = split(script)
    except UnparsedError as error:
        return ScriptObservation(unseen=f"line {error.line}: {error}")
    with closing(open_session(dsn)) as conn:
        observer = Observer(conn, script)
        failed = observer.run(statements)
    why = "" if failed is None else f"line {failed.line}: {failed}"
    return ScriptObservation(tuple(observer.done), why)
