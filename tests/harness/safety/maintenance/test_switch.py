"""On, off and status: what is in the way is named, and what fails leaves the database as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from harness.core.errors import HarnessError, Refused, Stopped, UsageError
from harness.core.poll import wait_until
from harness.database import admin, fingerprint
from harness.safety.maintenance import read_status, turn_off, turn_on
from harness.safety.maintenance import switch as switch_module
from tests.harness.safety.maintenance.test_barrier import WRITES
from tests.harness.support.maintenance import REFUSED, Shop, refusal
from tests.harness.support.runner import ask, run_sql

SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname = 'migration_maintenance'"
QUEUED = """
SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
SESSION = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"


def test_off_leaves_nothing_and_may_be_said_again(shop: Shop) -> None:
    before = fingerprint.take(shop.dsn)
    for _ in range(2):
        assert turn_off(shop.dsn, shop.request()).state == "off"
    turn_on(shop.dsn, shop.request())
    for _ in range(2):
        found = turn_off(shop.dsn, shop.request())
        assert (found.state, found.until, found.tables) == ("off", None, 0)
    assert ask(shop.dsn, SCHEMAS) == 0
    assert fingerprint.compare(before, fingerprint.take(shop.dsn)) == ()


def test_a_second_on_gives_a_new_end_and_reason(shop: Shop) -> None:
    first = turn_on(shop.dsn, shop.request(), 60).status
    second = turn_on(shop.dsn, shop.request(reason="still moving"), 600).status
    assert (second.state, second.reason) == ("on", "still moving")
    assert str(second.until) > str(first.until)
    assert read_status(shop.dsn, shop.request()) == second
    third = turn_on(shop.dsn, shop.request(), 30).status
    assert str(third.until) < str(second.until)


def test_status_says_what_is_not_covered(shop: Shop) -> None:
    run_sql(shop.dsn, f"CREATE ROLE {shop.role}_heir LOGIN IN ROLE {shop.role}")
    try:
        turn_on(shop.dsn, shop.request())
        run_sql(shop.dsn, "CREATE TABLE public.made_meanwhile (id bigint)")
        found = read_status(shop.dsn, shop.request())
    finally:
        run_sql(shop.dsn, f"DROP ROLE {shop.role}_heir")
    assert found.tables == 4
    said = "\n".join(found.lines())
    for what in ("sequences", "large objects", "public.made_meanwhile", f"{shop.role}_heir"):
        assert what in said


def test_status_after_the_lease_names_what_is_left(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request(), 0.2)
    request = shop.request()
    wait_until(lambda: read_status(shop.dsn, request).state == "off", 60, "the end of the lease")
    found = read_status(shop.dsn, request)
    assert found.tables == 4
    assert "4 tables still bear its trigger" in "\n".join(found.lines())


def test_a_writer_from_before_is_named_and_nothing_is_changed(shop: Shop) -> None:
    with shop.client() as conn:
        conn.execute("BEGIN")
        conn.execute(WRITES["insert"])
        with pytest.raises(Stopped, match=f"role {shop.role} .*public.pets.*not turned on"):
            turn_on(shop.dsn, shop.request(rules={"wait": 0.3}))
        conn.execute("COMMIT")
    assert ask(shop.dsn, SCHEMAS) == 0


def test_a_writer_from_before_is_waited_for(shop: Shop) -> None:
    with shop.client() as conn, ThreadPoolExecutor() as pool:
        conn.execute("BEGIN")
        conn.execute(WRITES["insert"])
        turned = pool.submit(turn_on, shop.dsn, shop.request(rules={"wait": 60.0}))
        wait_until(lambda: ask(shop.dsn, QUEUED), 60, "the request for the lock")
        assert not turned.done()
        conn.execute("COMMIT")
        assert turned.result().status.state == "on"
        assert refusal(conn, WRITES["update"]) == REFUSED


def test_a_writer_on_an_open_barrier_is_seen_too(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request(), 0.1)
    request = shop.request(rules={"wait": 0.3})
    wait_until(lambda: read_status(shop.dsn, request).state == "off", 60, "the end of the lease")
    with shop.client() as conn:
        conn.execute("BEGIN")
        conn.execute(WRITES["insert"])
        with pytest.raises(Stopped, match="a transaction from before writes on"):
            turn_on(shop.dsn, request)
        assert refusal(conn, WRITES["update"]) is None
        conn.execute("COMMIT")


def test_a_writer_from_before_is_ended_when_the_plan_says_so(shop: Shop) -> None:
    with shop.client() as conn:
        conn.execute("BEGIN")
        conn.execute(WRITES["insert"])
        turn_on(shop.dsn, shop.request(rules={"wait": 0.3, "action": "terminate"}))
        assert refusal(conn, "COMMIT") == "57P01"
    assert ask(shop.dsn, "SELECT count(*) FROM public.pets WHERE id = 100") == 0


def test_a_writer_that_runs_is_cancelled_when_the_plan_says_so(shop: Shop) -> None:
    with shop.client() as conn, shop.client() as other, ThreadPoolExecutor() as pool:
        conn.execute("BEGIN")
        conn.execute(WRITES["insert"])
        running = pool.submit(refusal, conn, "SELECT pg_sleep(600)")
        pid = conn.info.backend_pid
        wait_until(lambda: ask(shop.dsn, f"{SESSION} AND state = 'active'", pid), 60, "the sleep")
        turn_on(shop.dsn, shop.request(rules={"wait": 0.3, "action": "cancel"}))
        assert running.result() == "57014"
        assert ask(shop.dsn, SESSION, other.info.backend_pid) == 1
    assert shop.refusal(WRITES["insert"]) == REFUSED


def test_another_roles_writer_is_not_ended(shop: Shop) -> None:
    with psycopg.connect(shop.dsn) as conn:
        conn.execute(WRITES["insert"])
        with pytest.raises(Stopped, match="not turned on"):
            turn_on(shop.dsn, shop.request(rules={"wait": 0.3, "action": "terminate"}))
        conn.commit()


def test_off_opens_at_once_though_a_reader_keeps_a_trigger(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request())
    with psycopg.connect(shop.dsn) as reader:
        reader.execute("SELECT count(*) FROM public.pets")
        with pytest.raises(Stopped, match="writes again already"):
            turn_off(shop.dsn, shop.request(rules={"wait": 0.3}))
        assert shop.refusal("INSERT INTO public.owners (id) VALUES (100)") is None
    assert turn_off(shop.dsn, shop.request()).tables == 0


def test_a_lease_that_lasts_survives_an_on_that_fails(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request())
    run_sql(shop.dsn, "CREATE TABLE public.later (id bigint)")
    with psycopg.connect(shop.dsn) as other:
        other.execute("INSERT INTO public.later VALUES (1)")
        with pytest.raises(Stopped):
            turn_on(shop.dsn, shop.request(rules={"wait": 0.3}))
    assert shop.refusal(WRITES["insert"]) == REFUSED


def test_what_cannot_be_is_refused_in_one_sentence(shop: Shop, things: str) -> None:
    run_sql(shop.dsn, f"CREATE ROLE {shop.role}_boss SUPERUSER")
    said: dict[str, str] = {}
    try:
        for name, dsn, request, lease in (
            ("longer than the plan allows", shop.dsn, shop.request(), 999_999.0),
            ("does not exist", shop.dsn, shop.request(roles=("nobody_here",)), None),
            ("is a superuser", shop.dsn, shop.request(roles=(f"{shop.role}_boss",)), None),
            ("no application role", shop.dsn, shop.request(roles=()), None),
            ("has no table", shop.dsn, shop.request(schemas=frozenset({"empty"})), None),
            ("does not own", shop.named(), shop.request(roles=(f"{shop.role}_two",)), None),
        ):
            if name == "does not own":
                run_sql(shop.dsn, f"CREATE ROLE {shop.role}_two")
            with pytest.raises((Refused, UsageError), match=name) as caught:
                turn_on(dsn, request, lease)
            said[name] = str(caught.value)
    finally:
        run_sql(shop.dsn, f"DROP ROLE {shop.role}_boss; DROP ROLE IF EXISTS {shop.role}_two")
    assert not any("\n" in one for one in said.values())
    assert ask(shop.dsn, SCHEMAS) == 0


def test_the_application_itself_can_do_neither(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request())
    for command in (turn_on, turn_off, read_status):
        with pytest.raises(HarnessError):
            command(shop.named(), shop.request())
    assert shop.refusal(WRITES["insert"]) == REFUSED


def test_a_schema_of_somebody_else_is_left(shop: Shop) -> None:
    run_sql(shop.dsn, "CREATE SCHEMA migration_maintenance")
    for command in (turn_on, turn_off, read_status):
        with pytest.raises(Refused, match="not the harness's"):
            command(shop.dsn, shop.request())
    assert ask(shop.dsn, SCHEMAS) == 1


def test_two_commands_at_a_time_take_turns(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch_module, "PATIENCE", 0.2)
    with admin.connection(shop.dsn) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [switch_module.KEY])
        with pytest.raises(HarnessError, match="at work") as caught:
            turn_on(shop.dsn, shop.request())
    assert caught.value.exit_status == 4
