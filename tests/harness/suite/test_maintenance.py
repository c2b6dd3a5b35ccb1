"""The suite of maintenance says no to a door that is not shut, and to one that stays shut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.database import admin
from harness.safety.maintenance import MaintenanceRequest, read_status, turn_off, turn_on
from harness.safety.maintenance.scope import read_armed
from harness.suite import maintenance as suite
from harness.suite.maintenance import Closable
from harness.suite.support import connected
from tests.harness.support.maintenance import TABLES, grant


@pytest.fixture
def closable(harness_empty_database: str) -> Iterator[Closable]:
    role = admin.unique_name("suite_application")
    with connected(harness_empty_database) as conn:
        conn.execute(TABLES.encode())
        conn.execute(f"CREATE ROLE {role}".encode())
        conn.execute(grant(role))
        yield Closable(harness_empty_database, MaintenanceRequest((role,)))
        conn.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_a_door_that_shuts_and_opens_passes(closable: Closable) -> None:
    suite.test_the_application_is_shut_out_and_nobody_else_and_nothing_is_left(closable)


def test_a_table_without_its_trigger_is_said(
    closable: Closable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(dsn: str, request: MaintenanceRequest, asked: float) -> Any:
        turn_on(dsn, request, asked)
        with admin.connection(dsn) as conn:
            table = read_armed(conn)[0]
            conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())

    monkeypatch.setattr(suite, "turn_on", half)
    with pytest.raises(AssertionError):
        suite.test_the_application_is_shut_out_and_nobody_else_and_nothing_is_left(closable)


def test_a_role_that_stays_shut_out_is_said(
    closable: Closable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "turn_off", lambda *_given: None)
    with pytest.raises(AssertionError):
        suite.test_the_application_is_shut_out_and_nobody_else_and_nothing_is_left(closable)
    turn_off(closable.dsn, replace(closable.request, reason="tidy"))


def test_a_lease_that_shuts_for_longer_than_it_says_is_said(
    closable: Closable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(dsn: str, request: MaintenanceRequest) -> Any:
        return replace(read_status(dsn, request), until="2000-01-01T00:00:00+00:00")

    monkeypatch.setattr(suite, "read_status", short)
    with pytest.raises(AssertionError, match="refused after the lease"):
        suite.test_writes_flow_again_within_the_lease_of_a_holder_that_was_killed(closable)
    turn_off(closable.dsn, replace(closable.request, reason="tidy"))
