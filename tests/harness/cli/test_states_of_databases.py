"""Settings and states of a database or a role: each command works, or says one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from harness.check.preflight.run import DatabaseStanding
from harness.check.validate.run import Validation, validate
from harness.check.verify.run import verify
from harness.cli.seed import seed_database
from harness.core.errors import HarnessError, InfrastructureError, Refused
from harness.database import admin, fingerprint, template
from harness.plan import Plan
from harness.rows.fill import fill_schema
from harness.runner import baseline, cleanup, migrate, rollback, status
from harness.scenario.gate.existing import guarded
from harness.server import choose
from tests.harness.support.runner import run_sql

if TYPE_CHECKING:
    from harness.server import Server

ROWS = 60
Clone = Callable[[str], str]
Templates = Callable[..., str]
ODD_SETTINGS = {
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kathmandu",
    "bytea_output": "escape",
    "extra_float_digits": "0",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "search_path": "evil, public",
    "client_encoding": "latin1",
    "client_min_messages": "debug1",
    "row_security": "off",
    "check_function_bodies": "off",
    "statement_timeout": "250ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "5ms",
    "idle_session_timeout": "1s",  # a busy machine takes long from connecting to the first word
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "xmloption": "document",
}


@pytest.fixture
def small(harness_clone: Clone, harness_template: Templates) -> str:
    return harness_clone(harness_template(rows=ROWS))


@pytest.fixture(scope="module")
def before(harness_server: Server, harness_template: Templates) -> Iterator[str]:
    dsn = template.clone(harness_server.dsn(), harness_template(rows=ROWS))
    yield dsn
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


def judged(dsn: str, plan: Plan) -> Validation:
    found = status(dsn, plan)
    standing = DatabaseStanding(found.state, found.reason, found.run, found.step)
    return validate(dsn, plan, standing, free_bytes=10**15)


def critical(found: Any) -> list[str]:
    return [one.id for one in found.findings if one.severity == "critical"]


def test_settings_of_the_database_are_no_finding_and_change_nothing(
    small: str, before: str, harness_plan: Plan, harness_server: Server
) -> None:
    name = admin.dbname(small)
    run_sql(small, "create schema evil")
    for key, value in ODD_SETTINGS.items():
        said = value if key == "search_path" else f"'{value}'"
        # from beside it: a session in it has limits of milliseconds as soon as they are set
        run_sql(harness_server.dsn(), f"alter database {name} set {key} = {said}")
    assert critical(judged(small, harness_plan)) == []
    assert status(small, harness_plan).state == "clean"
    migrate(small, harness_plan)
    assert status(small, harness_plan).state == "migrated"
    found = verify(small, harness_plan, state="migrated", source=before)
    assert (found.verdict, critical(found)) == ("pass", [])
    rollback(small, harness_plan)
    assert status(small, harness_plan).state == "rolled-back"


def test_a_database_in_which_no_trigger_fires_is_seen_before(
    small: str, harness_plan: Plan
) -> None:
    run_sql(small, f"alter database {admin.dbname(small)} set session_replication_role = replica")
    assert critical(judged(small, harness_plan)) == ["preflight.no_triggers"]


@pytest.fixture
def powerless(harness_server: Server) -> Iterator[str]:
    """A role that may connect and nothing else."""
    name = admin.unique_name("powerless")
    run_sql(harness_server.dsn(), f"create role {name} login password 'x'")
    yield name
    run_sql(harness_server.dsn(), f"drop role {name}")


def test_a_role_without_rights_gets_one_sentence_of_every_command(
    harness_clone: Clone,
    harness_migrated_template: Templates,
    small: str,
    powerless: str,
    harness_plan: Plan,
) -> None:
    mine = make_conninfo(small, user=powerless, password="x")
    assert status(mine, harness_plan).state == "clean"
    found = judged(mine, harness_plan)
    assert found.verdict == "fail"
    assert "preflight.ownership" in critical(found)
    for command in (migrate, cleanup):
        with pytest.raises(HarnessError):
            command(mine, harness_plan)
    done = make_conninfo(
        harness_clone(harness_migrated_template(rows=ROWS)), user=powerless, password="x"
    )
    assert status(done, harness_plan).state == "foreign"
    for command in (migrate, rollback, cleanup):
        with pytest.raises(Refused):
            command(done, harness_plan)
    looked = verify(done, harness_plan, state="migrated")
    assert looked.verdict != "pass"


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_role_whose_connections_are_used_up_is_told_so_by_every_command(
    harness_server: Server, small: str, powerless: str, harness_plan: Plan, allowed: int
) -> None:
    """Where it may have none at all, and where the only one is in use; nothing is changed."""
    run_sql(harness_server.dsn(), f"alter role {powerless} connection limit {allowed}")
    mine = make_conninfo(small, user=powerless, password="x")
    several: list[Callable[[], object]] = [
        lambda: migrate(mine, harness_plan),
        lambda: rollback(mine, harness_plan),
        lambda: fingerprint.take(mine),
        lambda: status(mine, harness_plan),
        lambda: judged(mine, harness_plan),
    ]
    with ExitStack() as used:
        if allowed:
            used.enter_context(admin.connection(mine))
        for command in several:
            with pytest.raises(InfrastructureError, match="too many connections for role"):
                command()
    assert status(small, harness_plan).state == "clean"


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ("alter role {role} nologin", "give the role LOGIN"),
        ("revoke connect on database {name} from public", "grant the role CONNECT"),
        ("alter database {name} allow_connections off", "see datallowconn"),
    ],
)
def test_who_is_not_let_in_is_told_what_to_change(
    harness_server: Server, harness_empty_database: str, powerless: str, change: str, hint: str
) -> None:
    name = admin.dbname(harness_empty_database)
    run_sql(harness_server.dsn(), change.format(role=powerless, name=name))
    with pytest.raises(InfrastructureError) as refused:
        fingerprint.take(make_conninfo(harness_empty_database, user=powerless, password="x"))
    assert hint in str(refused.value.hint)


def test_objects_that_raise_when_they_are_read_are_unknown_not_a_traceback(
    small: str, before: str, harness_plan: Plan
) -> None:
    run_sql(
        small,
        "create view public.raising with (security_invoker) as"
        " select 1 / (count(*) - count(*)) as id from public.tags;"
        "revoke all on public.raising from anon, authenticated, service_role;"
        "create materialized view public.unread as select 1 as id with no data;"
        "revoke all on public.unread from anon, authenticated, service_role",
    )
    assert judged(small, harness_plan).verdict == "pass"
    migrate(small, harness_plan)
    found = verify(small, harness_plan, state="migrated", source=before)
    assert found.verdict != "pass"
    rollback(small, harness_plan)


def test_an_event_trigger_that_refuses_is_told_and_leaves_nothing(
    small: str, harness_plan: Plan
) -> None:
    run_sql(
        small,
        "create function public.ev() returns event_trigger language plpgsql as"
        " 'begin raise exception ''no ddl here''; end';"
        "create event trigger refusing on ddl_command_start execute function public.ev()",
    )
    assert "preflight.event_triggers" in [one.id for one in judged(small, harness_plan).findings]
    with pytest.raises(HarnessError, match="no ddl here"):
        migrate(small, harness_plan)
    assert status(small, harness_plan).state == "clean"
    with psycopg.connect(small) as conn:
        conn.execute("drop event trigger refusing")


def test_a_database_without_schema_public_is_refused(harness_plan: Plan, small: str) -> None:
    run_sql(small, "drop schema public cascade")
    found = judged(small, harness_plan)
    assert critical(found) == ["preflight.foreign"]
    with pytest.raises(Refused, match="empty"):
        migrate(small, harness_plan)


def test_a_standby_is_named_by_every_command_and_looked_at_by_those_that_only_read(
    harness_plan: Plan,
) -> None:
    server = choose("embedded", profile="durable")
    server.start()
    try:
        admin.create(server.dsn(), "empty")
        for name in ("clean", "done"):
            admin.create(server.dsn(), name)
            baseline(admin.with_dbname(server.dsn(), name), harness_plan)
        migrate(admin.with_dbname(server.dsn(), "done"), harness_plan)
        server.stop()
        (Path(server.record()["home"]) / "data" / "standby.signal").touch()
        server.start()
        clean, done = (admin.with_dbname(server.dsn(), name) for name in ("clean", "done"))
        assert (status(clean, harness_plan).state, status(done, harness_plan).state) == (
            "clean",
            "migrated",
        )
        run_sql(clean, "select pg_wal_replay_pause()")  # of all of the server: nothing waits for it
        assert "preflight.standby" in critical(judged(clean, harness_plan))
        with pytest.raises(Refused, match="the server is a standby"):
            migrate(clean, harness_plan)
        with pytest.raises(Refused, match="the server is a standby"):
            baseline(admin.with_dbname(server.dsn(), "empty"), harness_plan)
        with pytest.raises(Refused, match="the server is a standby"):
            fill_schema(clean, rows=1, seed=1)
        with (
            pytest.raises(Refused, match="the server is a standby"),
            guarded(choose("existing", dsn=clean), ""),
        ):
            pytest.fail("a gate began there")
        with pytest.raises(Refused, match="cannot execute CREATE DATABASE"):
            admin.create(server.dsn(), "more")
        seeded = CliRunner().invoke(seed_database, ["--dsn", clean, "--rows", "1"])
        assert "the server is a standby" in str(seeded.exception)
        for command in (rollback, partial(cleanup, override_retention="x")):
            with pytest.raises(Refused, match="the server is a standby"):
                command(done, harness_plan)
        found = verify(done, harness_plan, state="migrated")
        assert (found.verdict, critical(found)) == ("unknown", [])
    finally:
        server.close()
