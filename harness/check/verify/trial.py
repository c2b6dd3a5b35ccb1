"""Trials: what the rules of the migrated database do with a row, tried and taken back."""

from __future__ import annotations

from typing import Any

import psycopg

from harness.check.verify.doubt import Unknown
from harness.check.verify.file import Trial
from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.core.sqlstate import INSUFFICIENT_PRIVILEGE, READ_ONLY_SQL_TRANSACTION, SYNTAX_ERROR

Connection = psycopg.Connection[Any]
NOT_TRIED = (INSUFFICIENT_PRIVILEGE, READ_ONLY_SQL_TRANSACTION)


def attempt(conn: Connection, trial: Trial) -> Finding | Unknown | None:
    """Make a trial inside a transaction that is rolled back; what is wrong with how it ended.

    Unknown when it could not be made: somebody's lock, a timeout, no privilege.
    """
    made = 0
    try:
        with conn.transaction(force_rollback=True):
            conn.execute("set constraints all immediate")
            for statement in trial.statements[:-1]:
                conn.execute(statement.text.encode())
                made += 1
            cursor = conn.execute(trial.statements[-1].text.encode())
            wrong = [] if trial.refused else cursor.fetchall()
    except psycopg.OperationalError as error:
        if conn.broken:
            raise
        return _ended(trial, made, error)
    except psycopg.Error as error:
        return _ended(trial, made, error)
    if trial.refused:
        return _failed(trial, "accepted, and should be refused")
    if wrong:
        return _failed(trial, "\n".join(": ".join(map(str, row)) for row in wrong))
    return None


def _ended(trial: Trial, made: int, error: psycopg.Error) -> Finding | Unknown | None:
    """How the trial failed: as it must, or before it came so far, or otherwise."""
    statement = trial.statements[made]
    where = f"{trial.path}:{statement.line}"
    said = " ".join(str(error.diag.message_primary or error).split())
    if error.sqlstate == SYNTAX_ERROR:
        raise UsageError(f"the statement fails: {said}", where=where) from None
    if made == len(trial.statements) - 1 and error.sqlstate in trial.refused:
        return None
    said = f"{where}: {said} (SQLSTATE {error.sqlstate})"
    if isinstance(error, psycopg.OperationalError) or error.sqlstate in NOT_TRIED:
        hint = "try again when nobody holds a lock, as a superuser, on a database that is written"
        return Unknown(trial.id, trial.path.name, said, hint, trial.message)
    return _failed(trial, said)


def _failed(trial: Trial, evidence: str) -> Finding:
    return Finding(trial.id, trial.severity, trial.path.name, trial.message, trial.hint, evidence)
