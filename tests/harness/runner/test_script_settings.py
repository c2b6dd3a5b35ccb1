"""Roles and settings of a script are its own, and those of a database change nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.core.errors import Refused, StepFailed
from harness.database import admin
from harness.plan import Plan
from harness.runner import settings
from tests.harness.support.runner import ask, plan_of, run_sql
from tests.harness.support.seen import SEEN


@pytest.mark.parametrize(
    "left",
    [
        "SET LOCAL ROLE {}",
        "SELECT set_config('role', '{}', true)",
        "SELECT set_config('role', '{}', false)",
        "SET LOCAL SESSION AUTHORIZATION {}",
        "SELECT set_config('session_authorization', '{}', false)",
        "SET LOCAL ROLE {0}; RESET ROLE; SET LOCAL ROLE {0}",
        "DO $$ BEGIN SET LOCAL ROLE {}; END $$",
    ],
)
def test_the_role_of_a_script_does_not_write_the_checkpoint(
    tmp_path: Path, harness_empty_database: str, owner: str, left: str
) -> None:
    forward = f"{left.format(owner)};\nCREATE TABLE public.n (id int);\n"
    back = f"-- set: role={owner}\nDROP TABLE public.n;\n"
    plan = plan_of(tmp_path, (forward, back))
    runner.migrate(harness_empty_database, plan)
    made_by = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'public.n'::regclass"
    assert ask(harness_empty_database, made_by) == owner
    assert runner.rollback(harness_empty_database, plan).state == "rolled-back"


@pytest.mark.parametrize("kind", ["batch", "concurrent"])
def test_a_role_in_a_header_is_the_statements_only(
    tmp_path: Path, harness_empty_database: str, owner: str, kind: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int PRIMARY KEY, v text)")
    run_sql(harness_empty_database, "INSERT INTO public.t VALUES (1), (2), (3)")
    run_sql(harness_empty_database, f"ALTER TABLE public.t OWNER TO {owner}")
    head = f"-- kind: {kind}\n-- set: role={owner}\n"
    texts = {
        "batch": "-- table: public.t\n-- key: id\n-- batch: 1\n\nUPDATE public.t SET v ="
        " current_user WHERE id > %(after)s AND id <= %(upto)s;",
        "concurrent": "\nCREATE INDEX CONCURRENTLY i ON public.t (id);",
    }
    runner.migrate(
        harness_empty_database, plan_of(tmp_path, (head + texts[kind], "-- nothing: no\n"))
    )
    seen = "SELECT count(*) FROM public.t WHERE v = %s"
    assert ask(harness_empty_database, seen, owner) == (3 if kind == "batch" else 0)


@pytest.mark.parametrize(
    "left",
    [
        "SET LOCAL statement_timeout = '1us'",
        "SELECT set_config('lock_timeout', '1us', false)",
        "SET LOCAL session_replication_role = replica",
        "SET LOCAL search_path = public, pg_catalog",
        "SET LOCAL default_transaction_read_only = on",
        "SET LOCAL idle_in_transaction_session_timeout = '10min'",
        "SET LOCAL transaction_timeout = '10min'",
        "SET LOCAL standard_conforming_strings = off",
        "SET CONSTRAINTS ALL DEFERRED",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    ],
)
def test_the_settings_of_a_script_do_not_reach_the_checkpoint(
    tmp_path: Path, harness_empty_database: str, left: str
) -> None:
    run_sql(
        harness_empty_database,
        "CREATE TABLE public.t (id int);"
        "CREATE FUNCTION public.wrong(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false';"
        "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.wrong)",
    )
    version = ask(harness_empty_database, "SELECT current_setting('server_version_num')::int")
    if "transaction_timeout" in left and version < 170000:
        left = "SELECT 1"
    plan = plan_of(tmp_path, (f"INSERT INTO public.t VALUES (1);\n{left};\n", "SELECT 1;"))
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert ask(harness_empty_database, "SELECT state FROM migration_control.step") == "done"


OTHER = {
    "timezone": "Asia/Kolkata",
    "timezone_abbreviations": "India",
    "datestyle": "German, DMY",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "-5",
    "bytea_output": "escape",
    "xmlbinary": "hex",
    "xmloption": "document",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "quote_all_identifiers": "on",
    "default_toast_compression": "pglz",
    "session_replication_role": "replica",
    "row_security": "on",
    "search_path": "other, pg_catalog",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "check_function_bodies": "on",
    "plpgsql.variable_conflict": "use_column",
    "plpgsql.check_asserts": "off",
    "synchronous_commit": "off",
    "statement_timeout": "1min",
}


VALUES = r"""
CREATE TABLE public.made AS SELECT concat_ws('|', 'a\b', '01/02/2024'::date,
  '2024-01-02 03:04 IST'::timestamptz, interval '1 day 2 h', 0.1::float8 + 0.2, '\x00ff'::bytea,
  '{NULL,a}'::text[], NULL = NULL IS NULL, current_setting('app.region'),
  (SELECT count(*) FROM pg_settings WHERE name = 'search_path' AND setting LIKE 'other%')) AS v;
CREATE VIEW public.view AS SELECT 'x\y' AS "a", kind FROM public.seen;
INSERT INTO public.seen (kind, value) VALUES ('row', pg_get_viewdef('public.view'));
DO $$ DECLARE kind text := 'row'; BEGIN
  BEGIN DELETE FROM public.seen WHERE seen.kind = kind; EXCEPTION WHEN ambiguous_column THEN NULL;
  END;
  BEGIN ASSERT false; EXCEPTION WHEN assert_failure THEN PERFORM public.tell('assert', 'checked');
  END;
END $$;
"""


def outcome_with(dsn: str, plan: Plan, values: dict[str, str]) -> str:
    """Rows and trigger effects of a plan on a database with these settings."""
    name = ask(dsn, "SELECT current_database()")
    with psycopg.connect(dsn, autocommit=True) as conn:
        for each, value in {"app.region": "eu", **values}.items():
            conn.execute(f"ALTER DATABASE \"{name}\" SET {each} = '{value}'")  # type: ignore[call-overload]
    runner.migrate(dsn, plan)
    seen = (
        "SELECT pg_catalog.string_agg(kind || value, ';' ORDER BY id) || v || coalesce((SELECT"
        " pg_catalog.string_agg(value, '') FROM public.fired), '') FROM public.seen, public.made"
        " GROUP BY v"
    )
    with psycopg.connect(dsn, autocommit=True, options="-c search_path=pg_catalog") as conn:
        row = conn.execute(seen).fetchone()  # type: ignore[call-overload]
        assert row is not None
        return str(row[0])


def test_no_setting_of_a_database_changes_what_a_plan_does(
    tmp_path: Path, harness_empty_database: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path, (VALUES, "SELECT 1;"))
    fired = (
        "CREATE TABLE public.fired (value text); CREATE FUNCTION public.fire() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.fired VALUES (1); RETURN NULL; END';"
        "CREATE TRIGGER f AFTER INSERT ON public.seen FOR EACH ROW EXECUTE FUNCTION public.fire()"
    )
    for dsn in (harness_empty_database, target):
        run_sql(dsn, SEEN + fired)
    plain = outcome_with(harness_empty_database, plan, {})
    assert "|eu|" in plain
    assert outcome_with(target, plan, OTHER) == plain


def test_the_values_that_are_pinned_hold_in_every_session(
    harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pinned setting that this server knows is named in the first thing a session does."""
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute("DO $$ BEGIN END $$")
        conn.execute(settings.set_sql(settings.PINNED))
        for name, value in settings.PINNED.items():
            row = conn.execute("SELECT current_setting(%s, true)", [name]).fetchone()
            assert row is not None
            assert row[0] in (value, None), name


@pytest.mark.postgres(since=17)
def test_a_script_that_runs_into_its_own_time_limit_is_told_so(
    tmp_path: Path, harness_empty_database: str
) -> None:
    forward = "SET LOCAL transaction_timeout = '100ms';\nSELECT pg_sleep(30);"
    plan = plan_of(tmp_path, (forward, "SELECT 1;"))
    run_sql(harness_empty_database, SEEN)
    with pytest.raises(StepFailed, match=r"25P04.*the script's own transaction_timeout") as failed:
        runner.migrate(harness_empty_database, plan)
    assert str(failed.value.where).endswith("010_s.forward.sql:2")


def test_a_setting_that_the_role_may_not_put_right_is_refused(
    tmp_path: Path, harness_empty_database: str
) -> None:
    database = ask(harness_empty_database, "SELECT current_database()")
    name = admin.unique_name("plain")
    run_sql(harness_empty_database, f"{SEEN}; CREATE ROLE {name} LOGIN PASSWORD 'p'")
    run_sql(harness_empty_database, f'GRANT CREATE ON DATABASE "{database}" TO {name}')
    dsn = make_conninfo(harness_empty_database, user=name, password="p")
    plan = plan_of(tmp_path, ("SELECT 1;", "SELECT 1;"))
    try:
        assert runner.migrate(dsn, plan).state == "migrated"
        run_sql(
            harness_empty_database,
            f'ALTER DATABASE "{database}" SET session_replication_role = replica',
        )
        with pytest.raises(Refused, match='permission denied to set parameter "session_repl'):
            runner.rollback(dsn, plan)
    finally:
        run_sql(harness_empty_database, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")
