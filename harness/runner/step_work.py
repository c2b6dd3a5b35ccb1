"""One step to be done by a session, and its SQL errors as a person should read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import psycopg
from psycopg import sql

from harness.core.errors import HarnessError, StepFailed, Stopped
from harness.core.sqlstate import READ_ONLY_SQL_TRANSACTION
from harness.observe.advice import advise
from harness.plan import Script, Statement
from harness.runner.connection import first_words
from harness.runner.fenced_session import FencedSession
from harness.runner.ledger import Checkpoint
from harness.runner.working import Cursor

SHORT = 120
CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")
PASSWORD = re.compile(
    r"(password\s*=?\s*(?=e?')|password\s*=\s*)(e?'(?:[^']|'')*'|[^\s';()]+(?![\w(]))",
    re.IGNORECASE,
)
"""As roles, user mappings and connection strings have it."""


class StepWatch(Protocol):
    """Looks on inside a transaction step, and adds to what is written with its checkpoint."""

    def before(self) -> None:
        """Called before the first statement."""
        ...

    def after(self) -> list[sql.Composed]:
        """Called after the last statement; what to write."""
        ...


@dataclass
class StepWork:
    """A script to run as one step of the claimed run, and the checkpoint it may have already."""

    session: FencedSession
    id: str
    position: int
    script: Script
    row: Checkpoint | None = None
    attempts: int = 1
    watch: StepWatch | None = None
    failing: float | None = None  # since when, without success, by time.monotonic()

    def succeeded(self) -> None:
        """Something was committed: what fails from now on fails for the first time."""
        self.attempts, self.failing = 1, None

    def checkpoint(
        self,
        state: str,
        *,
        last_key: int | None = None,
        rows: int = 0,
        batches: int = 0,
        about: str | None = None,
    ) -> Checkpoint:
        """This step's checkpoint in the given state.

        `about` is what a concurrent one does to which index, and how many ranges a batch is cut in.
        """
        return Checkpoint(
            run_id=self.session.run.id,
            step=self.id,
            position=self.position,
            kind=self.script.kind,
            state=state,
            last_key=last_key,
            rows=rows,
            batches=batches,
            attempts=self.attempts,
            object=about,
        )


class SqlFailed(Exception):  # noqa: N818 - carries a failure to where it is judged
    """A statement of a script failed; the transaction around it was rolled back."""

    def __init__(
        self, error: psycopg.Error, script: Script, statement: Statement | None, offset: int = 0
    ) -> None:
        super().__init__(str(error))
        self.error, self.script, self.statement, self.offset = error, script, statement, offset

    def explained(self, attempts: int) -> HarnessError:
        """File, line, statement, SQLSTATE and what to do; Stopped when only resources lacked."""
        diagnosis = self.error.diag
        reason = diagnosis.message_primary or first_words(self.error)
        if diagnosis.message_detail:
            reason += f" ({diagnosis.message_detail})"
        reason = " ".join(reason.split())  # a detail may have lines of its own
        code = self.error.sqlstate
        state = f"SQLSTATE {code}" if code else "no SQLSTATE"
        what = f"in {shortened(self.statement.text)}" if self.statement else "at commit"
        tries = f", after {attempts} attempts" if attempts > 1 else ""
        message = f"{reason} ({state}{tries}) {what}"
        known = advise(self.error)
        hint = known.advice
        if self.statement is None and self.error.sqlstate == READ_ONLY_SQL_TRANSACTION:
            hint = "the script made its transaction read-only; its checkpoint must be written in it"
        kind = Stopped if known.severity == "resource" else StepFailed
        return kind(message, where=self.script.at(self._line()), hint=hint)

    def _line(self) -> int:
        if self.statement is None:
            return self.script.statements[-1].line if self.script.statements else 1
        if self.statement.rows is not None:
            row = re.search(r"^COPY .*, line (\d+)", self.error.diag.context or "", re.MULTILINE)
            return self.statement.rows.line + int(row[1]) - 1 if row else self.statement.line
        position = int(self.error.diag.statement_position or 0) - 1 - self.offset
        text = self.statement.text
        if self.script.kind == "batch":  # what was sent is shorter, but has the same lines
            text = text.replace("%(after)s", "$1").replace("%(upto)s", "$2").replace("%%", "%")
        if 0 < position <= len(text):
            return self.statement.line + text.count("\n", 0, position)
        return self.statement.line


def shortened(text: str) -> str:
    """A statement on one line, without passwords, cut to a length that fits a message."""
    flat = PASSWORD.sub(r"\1***", re.sub(r"\s+", " ", text))
    return flat if len(flat) <= SHORT else flat[: SHORT - 1] + "…"


def changed(cursor: Cursor) -> int:
    """How many rows the statements of an answer changed."""
    rows = 0
    while True:
        if (cursor.statusmessage or "").startswith(CHANGES):
            rows += max(cursor.rowcount, 0)
        if not cursor.nextset():
            return rows
