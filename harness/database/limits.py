"""The server's limits of time, taken off a session of ours: one list, for every version.

What a database, a role or the server has set is meant for its users. A session of ours has limits
of its own (a lock's, a check's), and would otherwise be ended in the middle: of a snapshot that is
held for the length of a backup, of a copy, of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import sql

NONE: Final[Mapping[str, str]] = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",  # since 14
    "transaction_timeout": "0",  # since 17
    "tcp_user_timeout": "0",
}
"""Every limit of a client's session that a user may set; a server is told what it knows."""

_SINCE: Final = {"idle_session_timeout": 14, "transaction_timeout": 17}
_bounds: dict[str, str] = {}


def take_off(conn: psycopg.Connection[Any]) -> None:
    """Set every limit that this server knows to none, or to what `bound` said, for the session."""
    conn.execute(_STATEMENT.format(_pairs(current())))


def current() -> dict[str, str]:
    """The limits that our sessions get: none, but for those that `bound` gave this process."""
    return {**NONE, **_bounds}


def bound(**limits: str) -> None:
    """Limit every later session of this process: for one that judges what may not end."""
    _bounds.update(limits)


def as_options(version: int) -> str:
    """The limits as libpq's `options`, for a program whose sessions we do not open; `version` is
    the server's major version.
    """
    known = {name: value for name, value in current().items() if _SINCE.get(name, 0) <= version}
    return " ".join(f"-c {name}={value}" for name, value in known.items())


_STATEMENT: Final = sql.SQL(
    "SELECT pg_catalog.set_config(v.name, v.value, false) FROM (VALUES {}) AS v (name, value)"
    " WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL"
)


def _pairs(limits: Mapping[str, str]) -> sql.Composed:
    pairs = (
        sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(value))
        for name, value in limits.items()
    )
    return sql.SQL(", ").join(pairs)
