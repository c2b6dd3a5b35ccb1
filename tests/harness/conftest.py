"""Fixtures of several modules: a small database, an empty one to fill, a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from backup_support import SECRET, THINGS
from runner_support import run_sql

from harness.database import admin

if TYPE_CHECKING:
    from harness.server import Server


@pytest.fixture
def things(empty_database: str) -> str:
    """DSN of a database with one small table, a sequence and a grant."""
    run_sql(empty_database, THINGS)
    return empty_database


@pytest.fixture
def target(pg_server: Server) -> Iterator[str]:
    """DSN of another empty database, to restore into."""
    name = admin.unique_name("harness_restored")
    admin.create(pg_server.dsn(), name)
    yield admin.with_dbname(pg_server.dsn(), name)
    admin.drop(pg_server.dsn(), name)


@pytest.fixture
def role(pg_server: Server) -> Iterator[str]:
    """A role that may log in and nothing else; what it owns is dropped by the test."""
    name = admin.unique_name("backup")
    run_sql(pg_server.dsn(), f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    run_sql(pg_server.dsn(), f"DROP ROLE IF EXISTS {name}")
