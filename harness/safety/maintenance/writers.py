"""Transactions that wrote to the guarded tables before the lease began: waited for, then ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from harness.core.poll import wait_until
from harness.plan.rules import MaintenanceRules
from harness.safety.backends import tell_backend
from harness.safety.maintenance.statements import Connection, statement

if TYPE_CHECKING:
    from harness.safety.maintenance.scope import GuardedTable

GONE = 15.0
"""How many seconds a transaction may take to end once it was told to."""


@dataclass(frozen=True)
class Writer:
    """A transaction that holds a writer's lock on a table; `pid` None: a prepared transaction."""

    pid: int | None
    transaction: str
    started: datetime | None
    role: str
    kind: str
    table: str


def read_writers(conn: Connection, tables: Sequence[GuardedTable]) -> tuple[Writer, ...]:
    """Every such transaction on one of the tables; a transaction on several is there once."""
    oids = [table.oid for table in tables]
    rows = conn.execute(statement("writers"), {"tables": oids}).fetchall()
    return tuple(Writer(*row) for row in rows)


def read_actors(conn: Connection, roles: Sequence[str]) -> tuple[str, ...]:
    """The roles whose sessions may write as one of the application's."""
    rows = conn.execute(statement("actors"), {"roles": list(roles)}).fetchall()
    return tuple(name for (name,) in rows)


def end_writers(
    conn: Connection,
    tables: Sequence[GuardedTable],
    actors: Sequence[str],
    rules: MaintenanceRules,
) -> tuple[Writer, ...]:
    """Wait until nobody writes any more who began before; those that are left.

    After [maintenance] wait they are ended as its action says. Only sessions of `actors` count:
    others are not the application's, and maintenance does not stop them.
    """
    begun = {one for one in read_writers(conn, tables) if one.role in actors}

    def left() -> set[Writer]:
        return begun & set(read_writers(conn, tables)) if begun else set()

    if _gone(left, rules.wait) or rules.action == "refuse":
        return tuple(left())
    tell_to_end(conn, tuple(left()), rules.action)
    _gone(left, GONE)
    return tuple(left())


def _gone(left: Callable[[], set[Writer]], wait: float) -> bool:
    with contextlib.suppress(TimeoutError):
        return bool(wait_until(lambda: not left(), wait, "transactions from before", pause=0.05))
    return False


def tell_to_end(conn: Connection, writers: Sequence[Writer], action: str) -> None:
    """Cancel or terminate each; Refused when this role may not."""
    hint = "be granted pg_signal_backend, or wait until its transaction is over"
    for writer in writers:
        named = f"server process {writer.pid} of role {writer.role}"
        tell_backend(conn, action, (writer.pid, writer.started), named, hint)
