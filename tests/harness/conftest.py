"""Fixtures of several modules: a small database, an empty one to fill, a role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from harness.database import admin
from tests.harness.support.backup import SECRET, THINGS
from tests.harness.support.runner import run_sql

if TYPE_CHECKING:
    from harness.server import Server


@pytest.fixture
def things(harness_empty_database: str) -> str:
    """DSN of a database with one small table, a sequence and a grant."""
    run_sql(harness_empty_database, THINGS)
    return harness_empty_database


@pytest.fixture
def target(harness_server: Server) -> Iterator[str]:
    """DSN of another empty database, to restore into."""
    name = admin.unique_name("harness_restored")
    admin.create(harness_server.dsn(), name)
    yield admin.with_dbname(harness_server.dsn(), name)
    admin.drop(harness_server.dsn(), name)


@pytest.fixture
def role(harness_server: Server) -> Iterator[str]:
    """A role that may log in and nothing else; what it owns is dropped by the test."""
    name = admin.unique_name("backup")
    run_sql(harness_server.dsn(), f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    run_sql(harness_server.dsn(), f"DROP ROLE IF EXISTS {name}")
