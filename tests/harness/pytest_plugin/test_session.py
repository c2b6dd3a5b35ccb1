"""One server a session, whoever needs it first; what a failed test leaves is kept if wanted."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from harness.pytest_plugin.kept import way_in
from harness.server import Record, Server, attach, registry
from harness.server.dsn import fields
from tests.harness.support.plugin import Session, run_session, write_project

ELECTION = """
import json, os
from pathlib import Path

def test_a(harness_server, harness_empty_database):
    told = [harness_server.record()["id"], harness_empty_database]
    Path(f"seen-{os.getpid()}").write_text(json.dumps(told))
"""
FAILS = """
import json, os
from pathlib import Path

def test_that_passes(harness_empty_database):
    pass

def test_that_fails(harness_server, harness_empty_database):
    Path(f"seen-{os.getpid()}").write_text(json.dumps([harness_server.record()["id"], ""]))
    assert not harness_empty_database
"""
KEPT = re.compile(r"^test_a\.py::(\w+): psql '(.+)'$", re.MULTILINE)


@pytest.fixture
def closing(pytester: pytest.Pytester) -> Iterator[None]:
    """What the inner session left running is closed; the registry has other sessions' servers."""
    yield
    for record in running(pytester):
        attach(record).close()


def seen(pytester: pytest.Pytester) -> list[tuple[str, str]]:
    """What the tests of the inner session wrote: the id of the server, a DSN."""
    return [json.loads(path.read_text()) for path in pytester.path.glob("seen-*")]


def running(pytester: pytest.Pytester) -> list[Record]:
    """The servers of the inner session that are still there."""
    ids = {identifier for identifier, _ in seen(pytester)}
    return [record for record in registry.records() if record["id"] in ids]


def databases(session: Session) -> list[tuple[str, str]]:
    """The tests whose databases are said to be kept, and how to reach these."""
    return KEPT.findall(session.said)


def test_workers_elect_one_server_which_ends_with_the_session(
    pytester: pytest.Pytester, closing: None
) -> None:
    write_project(pytester.path, a=ELECTION)
    session = run_session(pytester, "-n", "2", "--dist=each", "--pg-server=embedded")
    assert session.status == 0, session.said
    (server, dsn), (other, _) = seen(pytester)
    assert server == other
    assert running(pytester) == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn, connect_timeout=5)


def test_a_server_per_worker_gives_no_test_a_neighbour(
    pytester: pytest.Pytester, closing: None
) -> None:
    write_project(pytester.path, a=ELECTION)
    options = ("--pg-server=embedded", "--server-per-worker")
    session = run_session(pytester, "-n", "2", "--dist=each", *options)
    assert session.status == 0, session.said
    (server, _), (other, _) = seen(pytester)
    assert server != other
    assert running(pytester) == []


def test_a_failed_test_keeps_its_database_and_server_if_wanted(
    pytester: pytest.Pytester, closing: None
) -> None:
    write_project(pytester.path, a=FAILS)
    session = run_session(pytester, "--keep-failed", "--pg-server=embedded")
    assert session.status == 1
    assert [test for test, _ in databases(session)] == ["test_that_fails"]
    assert len(running(pytester)) == 1
    assert "password" not in databases(session)[0][1]
    psycopg.connect(databases(session)[0][1]).close()


def test_a_kept_database_without_a_trusting_socket_says_where_its_password_is(
    harness_server: Server, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.server.trust._answers", lambda _dsn: False)
    line, secret = way_in(harness_empty_database, harness_server), password(harness_empty_database)
    assert secret not in line
    if harness_server.provider == "existing":
        assert "the DSN that you gave" in line
        return
    asks = line.partition(" psql ")[0]
    printed = ["sh", "-c", f"export {asks}; printenv PGPASSWORD"]
    done = subprocess.run(printed, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == secret


def password(dsn: str) -> str:
    return fields(dsn)["password"]


def test_a_failed_test_keeps_nothing_otherwise(pytester: pytest.Pytester, closing: None) -> None:
    write_project(pytester.path, a=FAILS)
    session = run_session(pytester, "--pg-server=embedded")
    assert session.status == 1
    assert databases(session) == []
    assert running(pytester) == []
