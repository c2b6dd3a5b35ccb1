"""Send a script as its tool would: in the same transaction, messages, and version row."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import pq

from harness.core.errors import InfrastructureError
from harness.scenario.revisions.statements import ForeignStatement, UnparsedError, needs_psql, split
from harness.server.dsn import fields
from harness.server.session import session
from harness.subject.adapter.model import ForeignRevision, ForeignScript, VersionAccount

LIMIT: Final = "300s"
"""How long one statement may take before it is ended."""
Values = Mapping[str, str | int | None]


def open_session(dsn: str) -> psycopg.Connection[Any]:
    """A session as simple clients have it: values go into the text, several statements at once."""
    conn = session(dsn, application_name="harness check", cursor_factory=psycopg.ClientCursor)
    conn.execute(f"set statement_timeout = '{LIMIT}'")
    return conn


@dataclass(frozen=True)
class SqlError:
    """Why a script failed: what the server said, and the line of the file where it knows one."""

    sqlstate: str
    message: str
    line: int | None
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.sqlstate})" if self.sqlstate else self.message


@dataclass(frozen=True)
class Applied:
    """What a run of a script came to, in seconds; `error` is None when it went through."""

    seconds: float
    error: SqlError | None = None


@dataclass(frozen=True)
class Sender:
    """Who sends: the tree's account, and psql where a script needs it."""

    account: VersionAccount
    psql: Path | None

    def up(self, dsn: str, revision: ForeignRevision) -> Applied:
        """The way up, recorded."""
        return self._send(dsn, revision.up, self.account.record, revision.values)

    def down(self, dsn: str, revision: ForeignRevision) -> Applied:
        """The way down, erased from the account."""
        assert revision.down is not None, "nobody asks for a way back that is not there"
        return self._send(dsn, revision.down, self.account.erase, revision.values)

    def record(self, dsn: str, revision: ForeignRevision) -> None:
        """Note in the account that a revision is up, where it was brought there otherwise."""
        with closing(open_session(dsn)) as conn:
            self._note(conn, self.account.begin, revision.values)
            self._note(conn, self.account.record, revision.values)

    def _send(self, dsn: str, script: ForeignScript, record: str, values: Values) -> Applied:
        began = time.monotonic()
        with closing(open_session(dsn)) as conn:
            error = self._transact(conn, dsn, script, record, values)
        return Applied(time.monotonic() - began, error)

    def _transact(
        self,
        conn: psycopg.Connection[Any],
        dsn: str,
        script: ForeignScript,
        record: str,
        values: Values,
    ) -> SqlError | None:
        self._note(conn, self.account.begin, values)
        if needs_psql(script.text):
            error = self._by_psql(dsn, script)
            if error is None:
                self._note(conn, record, values)
            return error
        if script.transaction:
            conn.execute("begin")
        error = _send_text(conn, script)
        if error is not None:
            _quietly(conn, "rollback")
            return error
        try:
            self._note(conn, record, values)
            if conn.info.transaction_status != pq.TransactionStatus.IDLE:
                conn.execute("commit")
        except psycopg.Error as failure:
            _quietly(conn, "rollback")
            # its place is one in the tool's own statement, and no line of the file
            return replace(told(failure, script, ""), line=None)
        return None

    @staticmethod
    def _note(conn: psycopg.Connection[Any], statement: str, values: Values) -> None:
        if statement:
            conn.execute(statement.encode(), values)

    def _by_psql(self, dsn: str, script: ForeignScript) -> SqlError | None:
        if self.psql is None:
            raise InfrastructureError(
                "has commands of psql, and there is no psql", where=script.path, hint="install it"
            )
        options = [
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            "-",
            *(["-1"] if script.transaction else []),
        ]
        done = subprocess.run(
            [str(self.psql), *options], input=script.text, env=psql_environment(dsn),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return None if done.returncode == 0 else _said_by_psql(done.stderr, script)


def psql_environment(dsn: str) -> dict[str, str]:
    """libpq's variables, so that no password stands among the arguments."""
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    found = fields(dsn)
    return {
        "PATH": "/usr/bin:/bin",
        **{names[one]: str(found[one]) for one in names if found.get(one)},
    }


def _said_by_psql(said: str, script: ForeignScript) -> SqlError:
    lines = (
        [line for line in said.splitlines() if "ERROR:" in line] or said.splitlines()[:1] or [""]
    )
    place, _, message = lines[0].partition("ERROR:")
    number = next((int(part) for part in place.split(":") if part.strip().isdigit()), None)
    line = None if number is None else script.line + number - 1
    return SqlError("", (message or lines[0]).strip(), line)


def _send_text(conn: psycopg.Connection[Any], script: ForeignScript) -> SqlError | None:
    if script.sending == "whole":
        return send(conn, script, script.text, script.line)
    try:
        statements: Sequence[ForeignStatement] = split(script)
    except UnparsedError:
        return send(conn, script, script.text, script.line)  # the server says what is wrong
    for one in statements:
        error = send(conn, script, one.text, one.line)
        if error is not None:
            return error
    return None


def send(
    conn: psycopg.Connection[Any], script: ForeignScript, text: str, line: int
) -> SqlError | None:
    """Send a text as one simple query; what the server said of it, or None."""
    if not text.strip():
        return None
    result = conn.pgconn.exec_(text.encode())
    if result.status not in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
        return None
    failure = psycopg.errors.error_from_result(result)
    return told(failure, ForeignScript(script.path, text, line), text)


def told(failure: psycopg.Error, script: ForeignScript, text: str) -> SqlError:
    """A failure with the line that the server points at."""
    diag = failure.diag
    place = int(diag.statement_position) if diag.statement_position else None
    line = script.line + text[: place - 1].count("\n") if place else None
    message = diag.message_primary or " ".join(str(failure).split())
    return SqlError(failure.sqlstate or "", message, line, diag.message_hint or "")


def _quietly(conn: psycopg.Connection[Any], statement: str) -> None:
    if not conn.closed and not conn.broken:
        conn.execute(statement.encode())
