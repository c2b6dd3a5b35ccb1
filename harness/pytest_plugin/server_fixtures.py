"""Fixtures of the server: one for the session, and databases of a test's own on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from harness.pytest_plugin.kept import finish_databases
from harness.pytest_plugin.server_choice import chosen_server, is_handed_on
from harness.pytest_plugin.shared import server_record

if TYPE_CHECKING:
    from harness.server import Server

CloneFactory = Callable[[str], str]


@pytest.fixture(scope="session")
def harness_server(request: pytest.FixtureRequest) -> Server:
    """One running server, shared by all workers of the session if not `--server-per-worker`.

    The first worker that needs it starts it, in the name of the controller, which stops it; if the
    controller is killed, the next start reaps it.
    """
    from filelock import FileLock

    from harness.server import attach, reap

    record = server_record(request.config)
    with FileLock(record.with_suffix(".lock")):
        if not record.exists():
            if not is_handed_on():
                reap()
            server = chosen_server(request.config)
            server.start()
            server.wait_ready(60)
            record.write_text(json.dumps(server.record()))
    return attach(json.loads(record.read_text()))


@pytest.fixture
def harness_clone(request: pytest.FixtureRequest, harness_server: Server) -> Iterator[CloneFactory]:
    """Return a factory: make(template) -> DSN of a database of this test's own."""
    made: list[str] = []

    def make(template_name: str) -> str:
        from harness.database import template

        made.append(template.clone(harness_server.dsn(), template_name))
        return made[-1]

    yield make
    finish_databases(request, harness_server, made)


@pytest.fixture
def harness_empty_database(request: pytest.FixtureRequest, harness_server: Server) -> Iterator[str]:
    """DSN of a new, empty database."""
    from harness.database import admin

    name = admin.unique_name("harness_empty")
    admin.create(harness_server.dsn(), name)
    dsn = admin.with_dbname(harness_server.dsn(), name)
    yield dsn
    finish_databases(request, harness_server, [dsn])
