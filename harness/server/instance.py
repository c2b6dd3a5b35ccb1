"""Which server a session is on: locks, ledgers and snapshots mean nothing on two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg import errors

from harness.core.errors import InfrastructureError, Refused
from harness.core.sqlstate import IDLE_SESSION_TIMEOUT, QUERY_CANCELED, TRANSACTION_TIMEOUT

# In microseconds: a time is written as DateStyle says, which a database may have set otherwise.
_WHICH: Final = (
    "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()),"
    " (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::int8,"
    " pg_catalog.pg_is_in_recovery()"
)
_LIMITS: Final = {
    QUERY_CANCELED: "statement_timeout",
    TRANSACTION_TIMEOUT: "transaction_timeout",
    IDLE_SESSION_TIMEOUT: "idle_session_timeout",
}
"""What a server ends a first question by, before anybody could lift it for the session."""
_WITHOUT_CONTROL: Final = (
    "SELECT NULL, (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::int8,"
    " pg_catalog.pg_is_in_recovery()"
)


@dataclass(frozen=True)
class Instance:
    """A running server: the cluster of its data, when it was started, primary or standby."""

    cluster: int | None
    started: datetime
    standby: bool

    def __str__(self) -> str:
        role = "a standby" if self.standby else "a primary"
        since = self.started.isoformat(sep=" ", timespec="seconds")
        return f"{role} of cluster {self.cluster or 'unknown'}, started {since}"

    def restarted(self, other: Instance) -> bool:
        """Whether the other may be this one, started again."""
        return (self.cluster, self.standby) == (other.cluster, other.standby)


def met(conn: psycopg.Connection[Any]) -> Instance:
    """The server that a session in autocommit is on."""
    try:
        row: Any = conn.execute(_WHICH).fetchone()
    except errors.InsufficientPrivilege:
        row = conn.execute(_WITHOUT_CONTROL).fetchone()
    except psycopg.Error as error:
        limit = _LIMITS.get(error.sqlstate or "")
        if limit is None:
            raise
        raise InfrastructureError(
            f"the server ended our first question: {error}",
            hint=f"lift the {limit} of the database or the role; it leaves no time at all",
        ) from error
    cluster, started, standby = row
    return Instance(cluster, datetime.fromtimestamp(started / 1_000_000, UTC), standby)


def refuse_other(found: Instance, first: Instance) -> None:
    """Raise Refused unless a session is on the server of the first one."""
    if found != first:
        raise Refused(
            f"the sessions of one command are on different servers: {first}; and {found}",
            hint="name one server, not a list or a balancer of several",
        )


def refuse_different(sessions: Sequence[psycopg.Connection[Any]]) -> None:
    """Raise Refused unless all sessions, in autocommit, are on one server."""
    if len(sessions) > 1:
        first = met(sessions[0])
        for other in sessions[1:]:
            refuse_other(met(other), first)
