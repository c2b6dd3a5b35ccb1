"""The application's sessions are ended and gone; nobody else's is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from harness.core.errors import Refused
from harness.core.poll import wait_until
from harness.database import admin
from harness.plan.rules import DrainRules
from harness.safety import backends
from harness.safety import drain as drain_module
from harness.safety.drain import DrainReport, drain, read_sessions, tell_to_end
from harness.server import choose
from tests.harness.support.backup import SECRET
from tests.harness.support.maintenance import Shop, refusal
from tests.harness.support.runner import ask, run_sql

STUBBORN = """
DO $$ BEGIN
  LOOP
    BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END;
  END LOOP;
END $$
"""
PATIENT = DrainRules(wait=60.0, cancel=60.0, terminate=60.0)
HASTY = DrainRules(wait=0.1, cancel=0.1, terminate=60.0)
AT_WORK = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state = 'active'"


def drained(shop: Shop, rules: DrainRules) -> DrainReport:
    with admin.connection(shop.dsn) as conn:
        return drain(conn, [shop.role], rules)


def is_alive(conn: psycopg.Connection[object]) -> bool:
    with contextlib.suppress(psycopg.Error):
        return conn.execute("SELECT 1").fetchone() is not None
    return False


@contextlib.contextmanager
def at_work(shop: Shop, statement: str) -> Iterator[psycopg.Connection[object]]:
    """A session of the application in the middle of a statement; it may not survive."""
    with ThreadPoolExecutor() as pool, shop.client() as conn:
        running = pool.submit(refusal, conn, statement)
        wait_until(lambda: ask(shop.dsn, AT_WORK, conn.info.backend_pid), 60, "the statement")
        yield conn
        assert running.result() in ("57014", "57P01")


def test_an_idle_session_is_ended_and_gone(shop: Shop) -> None:
    with shop.client() as conn:
        assert drained(shop, PATIENT) == DrainReport(1, 0, 0, 1, 0)
        assert not is_alive(conn)
    assert drained(shop, PATIENT) == DrainReport(0, 0, 0, 0, 0)


def test_a_session_at_work_is_cancelled_first(shop: Shop) -> None:
    with at_work(shop, "SELECT pg_sleep(600)"):
        assert drained(shop, replace(PATIENT, wait=0.1)) == DrainReport(1, 0, 1, 1, 0)


def test_a_session_that_ignores_the_cancel_is_terminated(shop: Shop) -> None:
    with at_work(shop, STUBBORN) as conn:
        pid = conn.info.backend_pid
        assert drained(shop, HASTY) == DrainReport(1, 0, 1, 1, 0)
        assert ask(shop.dsn, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid) == 0


def test_work_that_ends_in_time_is_left_to_end(shop: Shop) -> None:
    with shop.client() as conn, ThreadPoolExecutor() as pool:
        conn.execute("BEGIN")
        conn.execute("INSERT INTO public.pets (id) VALUES (100)")
        report = pool.submit(drained, shop, PATIENT)
        conn.execute("COMMIT")
        assert report.result().cancelled == 0
    assert ask(shop.dsn, "SELECT count(*) FROM public.pets WHERE id = 100") == 1


def test_other_roles_and_other_databases_are_not_touched(shop: Shop, target: str) -> None:
    elsewhere = psycopg.conninfo.conninfo_to_dict(target)["dbname"]
    named = psycopg.conninfo.make_conninfo(shop.named(), dbname=elsewhere)
    with (
        psycopg.connect(shop.dsn, autocommit=True) as boss,
        psycopg.connect(named, autocommit=True) as other,
        shop.client(),
    ):
        assert drained(shop, HASTY).sessions == 1
        assert is_alive(boss)
        assert is_alive(other)


def test_a_replication_connection_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server of its own: the one of the session has no place for such a connection."""
    server = choose("embedded", profile="durable")
    try:
        server.start()
        server.wait_ready(60)
        run_sql(server.dsn(), f"CREATE ROLE app LOGIN REPLICATION PASSWORD '{SECRET}'")
        shop = Shop(server.dsn(), "app")
        named = psycopg.conninfo.make_conninfo(shop.named(), replication="database")
        line = psycopg.pq.PGconn.connect(named.encode())
        try:
            assert line.status == psycopg.pq.ConnStatus.OK, line.error_message
            assert drained(shop, HASTY).sessions == 0
            assert line.exec_(b"IDENTIFY_SYSTEM").status == psycopg.pq.ExecStatus.TUPLES_OK
            planted = drain_module._SESSIONS.replace("a.backend_type", "NULL")
            assert planted != drain_module._SESSIONS
            monkeypatch.setattr(drain_module, "_SESSIONS", planted)
            assert drained(shop, HASTY).sessions == 1
        finally:
            line.finish()
    finally:
        server.close()


def test_a_process_number_that_is_anothers_by_now_is_left(shop: Shop) -> None:
    with shop.client() as conn, admin.connection(shop.dsn) as boss:
        (session,) = read_sessions(boss, [shop.role])
        assert session.started is not None
        earlier = replace(session, started=session.started - timedelta(seconds=1))
        tell_to_end(boss, [earlier], "terminate")
        tell_to_end(boss, [earlier], "cancel")
        assert is_alive(conn)


def test_a_planted_end_by_number_alone_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = "SELECT pg_terminate_backend(%s) WHERE %s IS NOT NULL"
    monkeypatch.setattr(backends, "ENDINGS", dict.fromkeys(("cancel", "terminate"), planted))
    with pytest.raises(AssertionError):
        test_a_process_number_that_is_anothers_by_now_is_left(shop)


def test_a_drain_that_reaches_every_database_is_seen(
    shop: Shop, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = drain_module._SESSIONS.replace("a.datname = pg_catalog.current_database() AND", "")
    monkeypatch.setattr(drain_module, "_SESSIONS", planted)
    with pytest.raises(AssertionError):
        test_other_roles_and_other_databases_are_not_touched(shop, target)


def test_what_this_role_may_not_see_it_does_not_end(shop: Shop) -> None:
    other = admin.unique_name("watcher")
    run_sql(shop.dsn, f"CREATE ROLE {other} LOGIN PASSWORD 's3cret-Word'")
    try:
        with shop.client() as conn, shop.client(other) as watcher:
            with pytest.raises(Refused, match="hidden from this role"):
                drain(watcher, [shop.role], HASTY)
            assert is_alive(conn)
    finally:
        run_sql(shop.dsn, f"DROP ROLE {other}")
