"""No limit of time that a database, a role or a server has set ends a session of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until
from harness.database import admin, fingerprint, limits
from harness.server import instance
from tests.harness.support.backup import taken
from tests.harness.support.runner import ask

OTHERS = {"wal_sender_timeout"}  # of a standby's session, not of a client's
SETTABLE = "SELECT name FROM pg_settings WHERE name ~ '_timeout$' AND context = 'user'"
SHORT = "20ms"  # shorter than a fingerprint or a dump of anything


@pytest.fixture(params=["ALTER DATABASE {database}", "ALTER ROLE ALL IN DATABASE {database}"])
def hurried(request: pytest.FixtureRequest, things: str) -> Iterator[str]:
    """DSN of a database whose users, or the database itself, have every limit there is."""
    whose = request.param.format(database=admin.dbname(things))
    with admin.connection(things) as conn:
        names = [name for (name,) in conn.execute(SETTABLE.encode()).fetchall()]
        # In one session: a new one would have the limits that are set already.
        for name in names:
            conn.execute(f"{whose} SET {name} = '{SHORT}'".encode())
    return things


def test_the_list_names_every_limit_that_this_server_has(things: str) -> None:
    with admin.connection(things) as conn:
        settable = {name for (name,) in conn.execute(SETTABLE.encode()).fetchall()}
    assert settable - OTHERS <= limits.NONE.keys()


def test_a_session_of_ours_has_no_limit(hurried: str) -> None:
    with admin.connection(hurried) as conn:
        conn.execute("begin")
        conn.execute("select pg_sleep(0.1)")
        rows = conn.execute(SETTABLE.encode() + b" AND setting <> '0'").fetchall()
    assert {name for (name,) in rows} <= OTHERS


def test_a_fingerprint_and_a_backup_take_their_time(hurried: str, tmp_path: Path) -> None:
    assert fingerprint.take(hurried, detail=True).catalog
    assert (taken(hurried, tmp_path / "backup") / "manifest.json").is_file()


def test_what_may_not_end_is_bounded_by_ourselves(
    things: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_bounds", {})
    limits.bound(statement_timeout="7s")
    assert ask(things, "SHOW statement_timeout") == "0"  # a session that is not ours
    with admin.connection(things) as conn:
        assert conn.execute("show statement_timeout").fetchone() == ("7s",)


@pytest.mark.parametrize(("version", "knows"), [(13, 0), (15, 1), (17, 2), (18, 2)])
def test_options_name_only_what_a_version_knows(version: int, knows: int) -> None:
    said = limits.as_options(version)
    assert sum(name in said for name in ("idle_session_timeout", "transaction_timeout")) == knows


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param("transaction_timeout", marks=pytest.mark.postgres(since=17)),
        "idle_session_timeout",
    ],
)
def test_a_limit_that_leaves_no_time_at_all_is_named(things: str, limit: str) -> None:
    """The server has ended the session before it is asked which server it is."""
    with psycopg.connect(things, autocommit=True) as conn:
        if limit == "transaction_timeout":
            conn.execute("begin")
        conn.execute(f"set {limit} = '1ms'".encode())
        gone = "select count(*) from pg_stat_activity where pid = %s"
        wait_until(lambda: ask(things, gone, conn.info.backend_pid) == 0, 60, "the session's end")
        with pytest.raises(InfrastructureError, match="ended our first question") as refused:
            instance.met(conn)
    assert str(refused.value.hint).startswith(f"lift the {limit}")
