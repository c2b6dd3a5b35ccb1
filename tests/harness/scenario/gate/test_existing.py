"""A gate on a server that runs already: only what it makes there is touched, and is gone then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.core.errors import UsageError
from harness.database import admin
from harness.server import choose
from tests.harness.support.gate import found, gate, make_project, plant

if TYPE_CHECKING:
    from harness.server import Server

USES = """
def test_a(harness_server, harness_clone, harness_template, harness_baseline):
    assert harness_server.provider == "existing"
    harness_clone(harness_template(rows=50))
"""
LEFT = "harness_clone_gdeadbeef_12_0123abcd"
NOT_OURS = ("crm", "harness_mine", "harness_clone_12_0123abcd")


@pytest.fixture(scope="module")
def theirs() -> Iterator[Server]:
    """A server that no other test uses: roles and templates are counted."""
    server = choose("embedded")
    server.start()
    server.wait_ready()
    yield server
    server.close()


def held(server: Server) -> set[str]:
    """Its databases and roles."""
    query = "select datname from pg_database union all select rolname from pg_roles"
    with psycopg.connect(server.dsn()) as conn:
        return {str(name) for (name,) in conn.execute(query)}


def test_it_uses_databases_of_its_own_and_drops_them(theirs: Server, tmp_path: Path) -> None:
    for name in (LEFT, *NOT_OURS):
        admin.create(theirs.dsn(), name)
    before = held(theirs)
    project = make_project(tmp_path, small=False)
    plant(project, "test_forward.py", USES)
    dsn = theirs.dsn("crm")
    status, document, told = gate(project, "--server", "existing", HARNESS_DSN=dsn)
    assert (status, document["verdict"]) == (0, "GO"), (told, found(document))
    assert document["environment"]["server"] == "existing"
    assert held(theirs) == before - {LEFT}
    with psycopg.connect(dsn) as conn:
        made = conn.execute("select count(*) from pg_class where relnamespace >= 16384").fetchone()
    assert made == (0,)


def test_a_dsn_and_a_server_to_start_contradict_each_other() -> None:
    done = CliRunner().invoke(cli, ["gate", "--dsn", "dbname=x", "--server", "embedded"])
    assert isinstance(done.exception, UsageError)
    assert "--dsn names a server and --server embedded starts one" in str(done.exception)
