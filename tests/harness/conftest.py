"""Fixtures of several modules: a small database, an empty one to fill, a role."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from harness.database import admin
from harness.plugin import choose_server
from tests.harness.support.backup import SECRET, THINGS
from tests.harness.support.runner import run_sql

if TYPE_CHECKING:
    from harness.server import Server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the server at hand cannot have: `make test` says how many, and the same tests
    run on the system's server in CI.
    """
    marked = [item for item in items if item.get_closest_marker("postgres")]
    if not marked:
        return
    server = choose_server(config, os.getpid())
    out = [item for item in marked if not _fits(item, server.version, server.provider)]
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=out)


def _fits(item: pytest.Item, version: int, provider: str) -> bool:
    return all(
        mark.kwargs.get("since", 0) <= version <= mark.kwargs.get("until", version)
        # the wheel is built without ICU
        and not (mark.kwargs.get("icu") and provider == "embedded")
        for mark in item.iter_markers("postgres")
    )


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
