"""Maintenance mode shuts the application out and nobody else, and opens again by itself.

It is turned on and off at the migration's tables, and its holder is killed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from harness.core.poll import wait_until
from harness.core.sqlstate import READ_ONLY_SQL_TRANSACTION
from harness.fault.process import JobProcess, Tell, fork
from harness.plan import Plan
from harness.report import evidence
from harness.safety.maintenance import (
    MaintenanceRequest,
    holding,
    read_status,
    turn_off,
    turn_on,
)
from harness.safety.maintenance.scope import GuardedTable, read_tables
from harness.subject.choice import application_roles
from harness.subject.project import find_project

from .journey import differences, state
from .support import SMALL, CloneFactory, Conn, TemplateFactory, connected, scalar

LEASE = 1.5  # seconds; of one that is held, and whose holder is killed
PATIENCE = 60.0
ROUNDED = timedelta(milliseconds=10)  # the end of a lease is told in whole milliseconds
# refused before it looks for a row: it changes none where it is let through
WRITE = "DELETE FROM {} WHERE false"


@dataclass(frozen=True)
class Closable:
    """A database before the migration, and what maintenance of it is asked for."""

    dsn: str
    request: MaintenanceRequest

    def tables(self, conn: Conn) -> list[GuardedTable]:
        """The tables that maintenance closes."""
        return [one for one in read_tables(conn, self.request.schemas) if one.apart is None]

    def refused(self, conn: Conn, role: str | None) -> dict[str, str]:
        """The tables that a role cannot write, each with the SQLSTATE; None: who connects."""
        found = {}
        for table in self.tables(conn):
            with contextlib.ExitStack() as stack:
                stack.enter_context(contextlib.suppress(psycopg.Error))
                stack.enter_context(conn.transaction())
                if role is not None:
                    conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
                name = sql.Identifier(table.schema, table.name)
                state = _sqlstate(conn, sql.SQL(WRITE).format(name))
                if state is not None:
                    found[str(table)] = state
        return found


def _sqlstate(conn: Conn, statement: sql.Composed) -> str | None:
    try:
        with conn.transaction():
            conn.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


@pytest.fixture
def closable(
    harness_plan: Plan, harness_template: TemplateFactory, harness_clone: CloneFactory
) -> Closable:
    """A database of this test's own."""
    dsn = harness_clone(harness_template(rows=SMALL))
    roles = application_roles(harness_plan, find_project())
    rules = replace(harness_plan.maintenance, lease=LEASE)
    return Closable(dsn, MaintenanceRequest(roles, rules=rules, reason="a release is tried"))


def test_the_application_is_shut_out_and_nobody_else_and_nothing_is_left(
    closable: Closable,
) -> None:
    before = state(closable.dsn)
    with connected(closable.dsn) as conn:
        open_to = {role: closable.refused(conn, role) for role in closable.request.roles}
        turn_on(closable.dsn, closable.request, 300.0)
        tables = [str(table) for table in closable.tables(conn)]
        shut = {role: closable.refused(conn, role) for role in closable.request.roles}
        for role, refused in shut.items():
            # what it had no right to write is refused for that reason still
            rest = dict.fromkeys(set(tables) - open_to[role].keys(), READ_ONLY_SQL_TRANSACTION)
            assert refused == open_to[role] | rest
        assert closable.refused(conn, None) == {}
        assert not differences(before, state(closable.dsn))
        turn_off(closable.dsn, closable.request)
        assert {role: closable.refused(conn, role) for role in shut} == open_to
    assert read_status(closable.dsn, closable.request).tables == 0
    assert not differences(before, state(closable.dsn))
    names = [f"{table} to {role}" for role in shut for table in tables]
    evidence.count("maintenance", "tables shut to the application and opened again", names, names)


def test_writes_flow_again_within_the_lease_of_a_holder_that_was_killed(
    closable: Closable,
) -> None:
    role = closable.request.roles[0]
    with connected(closable.dsn) as conn:
        before = closable.refused(conn, role)
        with _held(closable) as holder:
            assert closable.refused(conn, role) != before
            holder.kill()

        def opened() -> bool:
            now = scalar(conn, "SELECT pg_catalog.clock_timestamp()")
            refused = closable.refused(conn, role)
            if refused == before:
                return True
            until = read_status(closable.dsn, closable.request).until
            assert until is not None
            assert now <= datetime.fromisoformat(until) + ROUNDED, "refused after the lease"
            return False

        wait_until(opened, PATIENCE, "the lease to end")
        turn_off(closable.dsn, closable.request)
    evidence.count("maintenance", "holders killed, and writes flow again", [role], [role])


@contextlib.contextmanager
def _held(closable: Closable) -> Iterator[JobProcess]:
    """A process that holds the lease."""

    def hold(tell: Tell) -> None:
        with holding(closable.dsn, closable.request, lambda status: tell(status.state)) as lease:
            lease.wait(None)

    with fork(hold) as process:
        wait_until(lambda: not process.listen() or bool(process.told), PATIENCE, "the lease")
        assert process.told == ["on"], process.told
        yield process
