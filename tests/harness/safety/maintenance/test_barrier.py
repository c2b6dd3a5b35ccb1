"""What the application's roles write is refused while the lease lasts; nobody else is stopped."""

from __future__ import annotations

from datetime import datetime

import psycopg
import pytest
from psycopg import sql

from harness.core.poll import wait_until
from harness.database import admin, fingerprint, witness
from harness.safety.maintenance import MaintenanceRequest, turn_off, turn_on
from harness.safety.maintenance import barrier as barrier_module
from harness.safety.maintenance.statements import statement
from tests.harness.support.maintenance import REFUSED, Shop, refusal
from tests.harness.support.runner import ask, run_sql

WRITES = {
    "insert": "INSERT INTO public.pets (id) VALUES (100)",
    "upsert": "INSERT INTO public.owners (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = 'x'",
    "update": "UPDATE public.pets SET name = 'x' WHERE id = 1",
    "update of no row": "UPDATE public.pets SET name = 'x' WHERE false",
    "delete that cascades": "DELETE FROM public.owners WHERE id = 2",
    "merge": "MERGE INTO public.pets p USING public.owners o ON o.id = p.id"
    " WHEN MATCHED THEN UPDATE SET name = o.name",
    "truncate": "TRUNCATE public.owners CASCADE",
    "copy": "COPY public.owners (id, name) FROM stdin",
    "view": "UPDATE public.pet_names SET name = 'x' WHERE id = 3",
    "security definer": "SELECT public.adopt(500)",
    "common table expression": "WITH d AS (DELETE FROM public.pets WHERE id = 9 RETURNING id)"
    " SELECT count(*) FROM d",
    "partitioned table": "INSERT INTO public.visits VALUES (1, '2026-05-01')",
    "partition": "INSERT INTO public.visits_2026 VALUES (1, '2026-05-01')",
}


def test_every_kind_of_write_is_refused_and_goes_on_afterwards(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request())
    found = {name: shop.refusal(write) for name, write in WRITES.items()}
    assert found == dict.fromkeys(WRITES, REFUSED)
    assert shop.refusal("SELECT count(*) FROM public.pets") is None
    turn_off(shop.dsn, shop.request())
    found = {name: shop.refusal(write) for name, write in WRITES.items()}
    assert found == dict.fromkeys(WRITES)


def test_the_error_names_reason_and_end(shop: Shop) -> None:
    status = turn_on(shop.dsn, shop.request(reason="don't $worry$ 100%")).status
    with shop.client() as conn, pytest.raises(psycopg.errors.ReadOnlySqlTransaction) as caught:
        conn.execute(WRITES["insert"])
    assert status.until is not None
    said = caught.value.diag
    assert f"until {status.until[:19].replace('T', ' ')} UTC" in (said.message_primary or "")
    assert "don't $worry$ 100%" in (said.message_primary or "")
    assert said.message_detail == f"INSERT by role {shop.role} on public.pets"


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_old_snapshot_does_not_hide_the_lease(shop: Shop, level: str) -> None:
    with shop.client() as conn:
        conn.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
        conn.execute("SELECT count(*) FROM pg_catalog.pg_class")  # the snapshot is taken here
        turn_on(shop.dsn, shop.request())
        assert refusal(conn, WRITES["insert"]) == REFUSED


def test_an_old_snapshot_sees_the_end_too(shop: Shop) -> None:
    with shop.client() as conn:
        turn_on(shop.dsn, shop.request())
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        conn.execute("SELECT count(*) FROM pg_catalog.pg_class")
        turn_off(shop.dsn, shop.request())
        assert refusal(conn, WRITES["insert"]) is None


def test_nobody_else_is_stopped(shop: Shop, target: str) -> None:
    other = admin.unique_name("other")
    run_sql(shop.dsn, f"CREATE ROLE {other} LOGIN; GRANT ALL ON public.pets TO {other}")
    run_sql(
        target, f"CREATE TABLE public.pets (id bigint); GRANT ALL ON public.pets TO {shop.role}"
    )
    turn_on(shop.dsn, shop.request())
    try:
        run_sql(shop.dsn, "INSERT INTO public.pets (id) VALUES (101)")  # a superuser
        run_sql(shop.dsn, f"SET ROLE {other}; INSERT INTO public.pets (id) VALUES (102)")
        run_sql(target, f"SET ROLE {shop.role}; INSERT INTO public.pets (id) VALUES (103)")
    finally:
        run_sql(target, f"DROP OWNED BY {shop.role}")
        run_sql(shop.dsn, f"DROP OWNED BY {other}; DROP ROLE {other}")


def test_whoever_became_the_role_is_the_application(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request())
    with psycopg.connect(shop.dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(shop.role)))
        assert [refusal(conn, WRITES[one]) for one in ("insert", "security definer")] == [
            REFUSED
        ] * 2


def test_a_lease_ends_by_the_clock_of_the_database(shop: Shop) -> None:
    status = turn_on(shop.dsn, shop.request(), 1.5).status
    with shop.client() as conn:
        conn.execute("BEGIN; SELECT 1; COMMIT")
        wait_until(lambda: refusal(conn, WRITES["insert"]) is None, 60, "the end of the lease")
    assert ask(shop.dsn, f"SELECT clock_timestamp() >= '{status.until}'")


def test_one_transaction_that_goes_on_may_write_after_the_end(shop: Shop) -> None:
    with shop.client() as conn:
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        conn.execute("SELECT 1")
        until = turn_on(shop.dsn, shop.request(), 0.5).status.until
        # now() stands still, the clock does not
        late = "SELECT pg_sleep(greatest(0, extract(epoch FROM %s - clock_timestamp()) + 0.1))"
        conn.execute(late, [datetime.fromisoformat(str(until))])
        assert refusal(conn, WRITES["insert"]) is None


def test_a_clock_that_was_set_back_does_not_keep_the_application_out(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request())
    run_sql(
        shop.dsn,
        "SELECT setval('migration_maintenance.lease', (extract(epoch FROM now()) * 1000)::bigint"
        " + 10 * 3600000)",
    )
    assert shop.refusal(WRITES["insert"]) is None


PLANTS = {
    "current_user": (
        "pg_catalog.current_setting('role')",
        "current_user",
        "security definer",
    ),
    "transaction's time": ("pg_catalog.clock_timestamp()", "now()", "after the end"),
    "no longest lease": (" AND until <= now + {longest}", "", "clock set back"),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_defect_of_the_function_is_seen(
    shop: Shop, plant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, seen = PLANTS[plant]
    text = statement("refuse")
    assert old in text
    planted = {"refuse": text.replace(old, new)}
    monkeypatch.setattr(
        barrier_module, "statement", lambda name: planted.get(name) or statement(name)
    )
    with pytest.raises(AssertionError):
        {
            "security definer": test_whoever_became_the_role_is_the_application,
            "after the end": test_one_transaction_that_goes_on_may_write_after_the_end,
            "clock set back": test_a_clock_that_was_set_back_does_not_keep_the_application_out,
        }[seen](shop)


def test_a_lease_in_a_table_would_be_hidden_by_an_old_snapshot(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = statement("refuse").replace(
        "pg_catalog.pg_sequence_last_value('migration_maintenance.lease')",
        "(SELECT 1 + (EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint"
        " FROM migration_maintenance.closure)",
    )
    monkeypatch.setattr(
        barrier_module, "statement", lambda name: text if name == "refuse" else statement(name)
    )
    with pytest.raises(AssertionError):
        test_an_old_snapshot_does_not_hide_the_lease(shop, "REPEATABLE READ")


def test_fingerprint_and_dump_are_the_same(shop: Shop) -> None:
    before = fingerprint.take(shop.dsn), witness.dump(shop.dsn)
    turn_on(shop.dsn, shop.request())
    after = fingerprint.take(shop.dsn), witness.dump(shop.dsn)
    assert fingerprint.compare(before[0], after[0]) == ()
    assert witness.differences(before[1], after[1]) == ()


def test_another_trigger_of_that_name_is_part_of_the_identity(shop: Shop) -> None:
    before = fingerprint.take(shop.dsn)
    run_sql(
        shop.dsn,
        "CREATE FUNCTION public.own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER migration_maintenance BEFORE INSERT ON public.pets"
        " EXECUTE FUNCTION public.own()",
    )
    found = fingerprint.compare(before, fingerprint.take(shop.dsn))
    assert "trigger migration_maintenance on public.pets" in [one.object for one in found]


def test_roles_of_the_application_may_not_change_the_lease(shop: Shop) -> None:
    run_sql(
        shop.dsn,
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO {shop.role};"
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {shop.role};"
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {shop.role}",
    )
    turn_on(shop.dsn, shop.request())
    for attempt in (
        "SELECT setval('migration_maintenance.lease', 1)",
        "DELETE FROM migration_maintenance.closure",
        "DROP TRIGGER migration_maintenance ON public.pets",
    ):
        assert shop.refusal(attempt) == "42501"
    assert shop.refusal(WRITES["insert"]) == REFUSED


def test_a_table_that_is_renamed_is_guarded_still(shop: Shop) -> None:
    turn_on(shop.dsn, shop.request())
    run_sql(shop.dsn, "ALTER TABLE public.pets RENAME TO animals")
    assert shop.refusal("INSERT INTO public.animals (id) VALUES (100)") == REFUSED
    assert turn_off(shop.dsn, shop.request()).tables == 0
    assert shop.refusal("INSERT INTO public.animals (id) VALUES (100)") is None


def test_only_the_schemas_of_the_plan_are_guarded(shop: Shop) -> None:
    run_sql(
        shop.dsn,
        "CREATE SCHEMA apart; CREATE TABLE apart.t (i int);"
        f"GRANT ALL ON SCHEMA apart TO {shop.role}; GRANT ALL ON apart.t TO {shop.role}",
    )
    request: MaintenanceRequest = shop.request(schemas=frozenset({"public"}))
    status = turn_on(shop.dsn, request).status
    assert shop.refusal("INSERT INTO apart.t VALUES (1)") is None
    assert "table outside the plan's schemas: apart.t" in status.uncovered
