"""Connections of the runner: settings it can rely on, and which errors mean that one was lost."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from harness.core.errors import Refused
from harness.core.sqlstate import CONNECTION_EXCEPTION, CONNECTION_LOST
from harness.plan import RunnerSettings
from harness.runner.settings import pinned, set_sql
from harness.server import instance
from harness.server.dsn import Dsn, fields
from harness.server.session import session

Connection = psycopg.Connection[TupleRow]

DEFAULTS: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def connect(dsn: str, purpose: str) -> Connection:
    """Connect, with half-open connections detected in bounded time; nothing is prepared."""
    given = fields(dsn)
    options: dict[str, Any] = {key: value for key, value in DEFAULTS.items() if key not in given}
    return session(
        dsn,
        restarted=True,  # meanwhile: then the run is resumed
        prepare_threshold=None,
        application_name=f"harness {purpose}",
        client_encoding="utf8",
        **options,
    )


def refuse_two_servers(dsn: str, one: Connection, other: Connection) -> None:
    """Refuse sessions on different servers, where the DSN leads to more than one."""
    settled = isinstance(dsn, Dsn) and dsn.instance is not None
    if settled or "," in "".join(fields(dsn).get(word, "") for word in ("host", "hostaddr")):
        instance.refuse_different((one, other))


def first_words(error: BaseException) -> str:
    """An error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def configure(conn: Connection, settings: RunnerSettings) -> dict[str, str]:
    """Make the session independent of what the database, the role or the client have set.

    Gives the settings that do so here; Refused when one of them may not be set by this role.
    """
    values = pinned(settings)
    try:
        conn.execute(set_sql(values))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"{first_words(error)}: the database or the role has set it otherwise",
            hint="take that setting away, or run as a role that may change it",
        ) from error
    # Not every platform can notice that a client went away during a long statement.
    with contextlib.suppress(psycopg.errors.InvalidParameterValue):
        conn.execute("SET client_connection_check_interval = '1s'")
        values["client_connection_check_interval"] = "1s"
    return values


def set_known(conn: Connection, values: dict[str, str]) -> None:
    """Set, for the session, those settings that this server knows, in one round trip."""
    pairs = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(value))
        for name, value in values.items()
    )
    conn.execute(
        sql.SQL(
            "SELECT pg_catalog.set_config(v.name, v.value, false)"
            " FROM (VALUES {}) AS v(name, value)"
            " WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL"
        ).format(pairs)
    )


def set_variables(conn: Connection, variables: dict[str, str]) -> None:
    """Set settings of the harness's own for the session."""
    calls = sql.SQL(", ").join(
        sql.SQL("pg_catalog.set_config({}, {}, false)").format(
            sql.Literal(f"harness.{name}"), sql.Literal(value)
        )
        for name, value in variables.items()
    )
    conn.execute(sql.SQL("SELECT {}").format(calls))


def is_lost(conn: Connection, error: BaseException) -> bool:
    """Whether the error says that the connection is gone, so that nothing is known about it."""
    if not isinstance(error, psycopg.Error):
        return False
    state = error.sqlstate or ""
    return conn.closed or state in CONNECTION_LOST or state.startswith(CONNECTION_EXCEPTION)


def refuse_transaction_pooling(one: Connection, other: Connection) -> None:
    """Refuse a pooler that changes the server session between transactions.

    Locks, settings and the fence belong to a session. A pooler is suspected when the backend is not
    the one the connection was told of. No transaction is opened to prove it: in a pool of one that
    would wait for ever. Instead both ask in an order that no pooler answers by chance: each of two
    sessions always has the same backend, and not the other's.
    """
    if _backend(one) == one.info.backend_pid:
        return
    seen = [(conn, _backend(conn)) for conn in (one, other, other, one, one, other)]
    ones, others = ({pid for conn, pid in seen if conn is side} for side in (one, other))
    if len(ones) > 1 or len(others) > 1 or ones == others:
        raise Refused(
            "the connection goes through a pooler in transaction or statement mode",
            hint="give the server's own address, or a pool in session mode",
        )


def _backend(conn: Connection) -> int:
    row = conn.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])
