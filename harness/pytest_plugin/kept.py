"""`--keep-failed`: the databases of a failed test stay, and the session's end says where."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.options import KEEP_FAILED
from harness.pytest_plugin.shared import KEPT, is_worker, shared_directory, shared_file

if TYPE_CHECKING:
    from harness.server import Server

_failed = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, for the fixtures that clean up after it."""
    outcome: Any = yield
    if outcome.get_result().failed:
        item.stash[_failed] = True


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how to reach what failed tests left behind."""
    kept = shared_file(config, KEPT)
    if not is_worker(config) and kept.exists():
        terminalreporter.write_sep("-", "databases kept for failed tests, until the next run")
        terminalreporter.write(kept.read_text())


def finish_databases(request: pytest.FixtureRequest, server: Server, made: Sequence[str]) -> None:
    """Drop a test's databases; keep them, and their server, if it failed and they are wanted."""
    from harness.database import admin

    if request.config.getoption(KEEP_FAILED) and request.node.stash.get(_failed, False):
        _keep(request, server, made)
        return
    for dsn in made:
        admin.drop(server.dsn(), admin.dbname(dsn))


def _keep(request: pytest.FixtureRequest, server: Server, made: Sequence[str]) -> None:
    from harness.server import keep

    with (shared_directory(request.config) / KEPT).open("a") as kept:
        for dsn in made:
            keep(server.record())
            kept.write(f"{request.node.nodeid}: {way_in(dsn, server)}\n")


def way_in(dsn: str, server: Server) -> str:
    """A command that connects: without a password, or saying where to get it."""
    from harness.server import registry
    from harness.server.dsn import fields, replaced
    from harness.server.trust import without_password

    trusted = without_password(dsn)
    if "password" not in fields(trusted):
        return f"psql {shlex.quote(trusted)}"
    told = f"psql {shlex.quote(replaced(trusted, password=None))}"
    if server.provider == "existing":
        return f"{told} (the password is that of the DSN that you gave)"
    file = str(registry.path_of(server.record()["id"]))
    read = f"import json; print(json.load(open({file!r}))['password'])"
    return f'PGPASSWORD="$(python3 -c {shlex.quote(read)})" {told}'
