"""PgBouncer's admin console: what it knows of its databases, PAUSE and RESUME."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from select import select
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from harness.core.errors import HarnessError, InfrastructureError, Refused, Stopped, UsageError
from harness.server.dsn import fields
from harness.server.secrets import redact
from harness.server.session import session

Console: TypeAlias = psycopg.Connection[Any]

ADDRESS: Final = "HARNESS_PGBOUNCER"
"""The variable with the DSN of the console: a password belongs neither in a plan nor in a list of
processes."""
ANSWER: Final = 5
"""For how many seconds the console is waited for; it answers at once, or it is away."""


def read_address() -> str:
    """The console's DSN; UsageError where the environment has none or none that can be read."""
    given = os.environ.get(ADDRESS, "").strip()
    if not given:
        raise UsageError(
            f"[drain] names databases of PgBouncer, and {ADDRESS} does not say where it is",
            hint=f"set {ADDRESS} to the DSN of its console, or leave pgbouncer out of [drain]",
        )
    fields(given)
    return make_conninfo(given, dbname="pgbouncer", connect_timeout=ANSWER)


@contextmanager
def open_console(address: str) -> Iterator[Console]:
    """A session of the console; InfrastructureError when PgBouncer is away or lets nobody in."""
    try:
        conn = session(address)
    except InfrastructureError as error:
        raise InfrastructureError(
            f"PgBouncer: {error.message.partition(': ')[2]}",
            hint=f"check {ADDRESS}, and that PgBouncer runs",
        ) from None
    with conn:
        yield conn


def read_paused(conn: Console) -> dict[str, bool]:
    """The databases that PgBouncer knows, and whether each is paused or about to be."""
    return {row["name"]: bool(int(row["paused"] or 0)) for row in _rows(conn, "SHOW DATABASES")}


def read_backends(conn: Console, names: Sequence[str]) -> set[int]:
    """The server processes that pooled sessions of these databases are connected to."""
    rows = _rows(conn, "SHOW SERVERS")
    return {int(row["remote_pid"] or 0) for row in rows if row["database"] in names}


def read_patience(conn: Console) -> float:
    """After how many seconds a client that waits is sent away; 0: never."""
    found = [
        row["value"] for row in _rows(conn, "SHOW CONFIG") if row["key"] == "query_wait_timeout"
    ]
    return float(found[0]) if found else 0.0


def resume(conn: Console, name: str) -> bool:
    """Resume a database; False when it was not paused, as after a restart of PgBouncer."""
    try:
        conn.execute(_command("RESUME", name))
    except psycopg.Error as error:
        if "is not paused" in str(error) or "no such database" in str(error):
            return False
        raise _refused(name, str(error)) from None
    return True


def pause(address: str, name: str, within: float) -> None:
    """Pause a database: no client holds a session of the server any more.

    Raises Stopped when that is not so in time; the command is then given up, and the database is
    still closed. Its line is gone before anybody may say RESUME, into which it would hang for ever.
    """
    line = pq.PGconn.connect(address.encode())
    try:
        if line.status != pq.ConnStatus.OK:
            said = " ".join(line.get_error_message().split())
            raise InfrastructureError(f"PgBouncer: {redact(said)}", hint=f"check {ADDRESS}")
        line.send_query(_command("PAUSE", name).as_string().encode())
        if not _answered(line, within):
            raise Stopped(
                f"PgBouncer did not pause database {name!r} within {within:g} s: clients hold their"
                " sessions",
                hint="wait for long transactions, raise pause in [drain], or, where pool_mode is"
                " session, leave pgbouncer out of it: there only clients that leave free a session",
            )
        result = line.get_result()
        if result is None or result.status != pq.ExecStatus.COMMAND_OK:
            said = result.get_error_message() if result else line.get_error_message()
            raise _refused(name, said)
    finally:
        line.finish()


def _answered(line: pq.abc.PGconn, within: float) -> bool:
    deadline = time.monotonic() + within
    while line.is_busy():
        left = deadline - time.monotonic()
        if left <= 0 or not select([line.socket], [], [], left)[0]:
            return False
        line.consume_input()
    return True


def _command(word: str, name: str) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.SQL(word), sql.Identifier(name))


def _refused(name: str, said: str) -> HarnessError:
    words = redact(" ".join(said.split())).removeprefix("ERROR: ").strip()
    return Refused(
        f"PgBouncer, database {name!r}: {words}",
        hint=f"use a role of its admin_users in {ADDRESS}",
    )


def _rows(conn: Console, command: str) -> list[dict[str, Any]]:
    try:
        cursor = conn.execute(command.encode())
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except psycopg.Error as error:
        said = redact(" ".join(str(error).split()))
        raise InfrastructureError(
            f"PgBouncer's console does not answer {command}: {said}",
            hint=f"{ADDRESS} is the address of PgBouncer itself, with one of its admin_users",
        ) from None
