"""Whatever a script does to its session ends with it: undisturbed is the same as resumed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.core.errors import Refused, StepFailed, UsageError
from harness.database import admin
from harness.plan import Plan
from harness.runner import settings
from harness.runner.outcome import Event
from harness.runner.session import RunnerSession
from tests.harness.support.runner import ask, plan_of, run_sql

SEEN = """
CREATE TABLE public.seen (id int GENERATED ALWAYS AS IDENTITY, kind text, value text);
CREATE SEQUENCE public.s;
CREATE FUNCTION public.last() RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN currval('public.s'); EXCEPTION WHEN OTHERS THEN RETURN 'none'; END $$;
CREATE FUNCTION public.tell(text, text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO public.seen (kind, value) VALUES ($1, $2) $$;
"""
# What a script leaves in its session, and what the next one would see of it.
STATES = {
    "libraries": (
        "DO $$ BEGIN END $$",
        "(SELECT count(*)::text FROM pg_settings WHERE name LIKE 'plpgsql.%')",
    ),
    "own setting": (
        "SELECT set_config('own.a', 'left', false)",
        "coalesce(current_setting('own.a', true), 'none')",
    ),
    "name of an own setting": (
        "SET LOCAL own.b = 'left'",
        "coalesce(current_setting('own.b', true), 'none')",
    ),
    "setting": ("SELECT set_config('work_mem', '77MB', false)", "current_setting('work_mem')"),
    "temporary table": (
        "CREATE TEMPORARY TABLE a ()",
        "coalesce(to_regclass('pg_temp.a')::text, 'none')",
    ),
    "temporary function": (
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "coalesce(to_regprocedure('pg_temp.f()')::text, 'none')",
    ),
    "prepared statement": (
        "DO $$ BEGIN EXECUTE 'PREPARE p AS SELECT 1'; END $$",
        "(SELECT count(*)::text FROM pg_prepared_statements)",
    ),
    "session lock": (
        "SELECT pg_advisory_lock(4711)",
        "(SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711)",
    ),
    "channel": (
        "DO $$ BEGIN EXECUTE 'LISTEN x'; END $$",
        "(SELECT count(*)::text FROM pg_listening_channels())",
    ),
    "sequence": ("SELECT nextval('public.s')", "public.last()"),
    "random seed": ("SELECT setseed(0.25)", "(random() = 'SEEDED')::text"),
    "role": ("SELECT set_config('role', 'pg_read_all_data', false)", "current_user::text"),
}


def leaving(root: Path, dsn: str, forward: bool = True) -> Plan:
    """A plan whose first step leaves everything, whose second tells what it sees of it."""
    with psycopg.connect(dsn) as conn:
        conn.execute("SELECT setseed(0.25)")
        row = conn.execute("SELECT random()").fetchone()
    assert row is not None
    role = STATES["role"][0]
    leave = [each for each, _ in STATES.values() if each != role]
    tell = [
        f"SELECT public.tell('{kind}', {look.replace('SEEDED', str(row[0]))})"
        for kind, (_, look) in STATES.items()
    ]
    first, second = ";\n".join([*leave, role]) + ";\n", ";\n".join(tell) + ";\n"
    if forward:
        return plan_of(root, (first, "SELECT 1;"), (second, "SELECT 1;"))
    return plan_of(root, ("SELECT 1;", second), ("SELECT 1;", first))


def told(dsn: str) -> dict[str, str]:
    """What was seen, by kind; nothing is left of it."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT kind, value FROM public.seen ORDER BY id").fetchall()
        conn.execute("TRUNCATE public.seen")
        return dict(rows)


def test_nothing_of_a_session_reaches_the_next_step(
    tmp_path: Path, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql(harness_empty_database, SEEN)
    plan = leaving(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    undisturbed = told(harness_empty_database)
    runner.rollback(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan, until="1/010_s")
    assert runner.migrate(harness_empty_database, plan).resumed
    resumed = told(harness_empty_database)
    assert undisturbed == resumed
    assert set(undisturbed) == set(STATES)
    assert undisturbed["own setting"] == "none"
    assert undisturbed["session lock"] == "0"

    runner.rollback(harness_empty_database, plan)
    monkeypatch.setattr(RunnerSession, "_refresh", lambda _: None)  # planted: one session for all
    runner.migrate(harness_empty_database, plan)
    blind = told(harness_empty_database)
    put_back = {"setting", "role"}  # by every commit
    assert {kind for kind in STATES if blind[kind] == undisturbed[kind]} == put_back


def test_nothing_of_a_session_reaches_the_next_step_of_a_way_back(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, SEEN)
    plan = leaving(tmp_path, harness_empty_database, forward=False)
    runner.migrate(harness_empty_database, plan)
    runner.rollback(harness_empty_database, plan)
    assert told(harness_empty_database)["own setting"] == "none"


def test_nothing_of_a_session_reaches_the_next_batch(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int PRIMARY KEY, v text)")
    run_sql(harness_empty_database, "INSERT INTO public.t SELECT generate_series(1, 6)")
    within = "id > %(after)s AND id <= %(upto)s"
    text = (
        "-- kind: batch\n-- table: public.t\n-- key: id\n-- batch: 2\n\n"
        "UPDATE public.t SET v = coalesce(current_setting('own.n', true), 'fresh')"
        f" WHERE {within};\n"
        f"SELECT set_config('own.n', 'used', false) FROM public.t WHERE {within};\n"
    )
    runner.migrate(harness_empty_database, plan_of(tmp_path, (text, "-- nothing: no way\n")))
    assert (
        ask(harness_empty_database, "SELECT string_agg(DISTINCT v, ' ') FROM public.t") == "fresh"
    )


def test_the_settings_of_a_concurrent_step_end_with_it(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, SEEN)
    index = (
        "-- kind: concurrent\n-- set: work_mem=77MB\n-- set: own.a=left\n"
        "CREATE INDEX CONCURRENTLY i ON public.seen (id);"
    )
    see = "SELECT public.tell('a', current_setting('work_mem') || current_setting('own.a', true));"
    nothing = "-- nothing: it stays\n"
    plan = plan_of(tmp_path, (index, nothing), (see, nothing))
    usual = ask(harness_empty_database, "SHOW work_mem")
    runner.migrate(harness_empty_database, plan)
    assert told(harness_empty_database) == {"a": None}, usual


def test_where_no_new_session_is_to_be_had_the_old_one_forgets_and_says_so(
    tmp_path: Path, harness_empty_database: str
) -> None:
    name = f"two_{ask(harness_empty_database, 'SELECT current_database()')}"[:63]
    database = ask(harness_empty_database, "SELECT current_database()")
    run_sql(harness_empty_database, f"CREATE ROLE {name} LOGIN PASSWORD 'p' CONNECTION LIMIT 2")
    run_sql(harness_empty_database, f'GRANT CREATE ON DATABASE "{database}" TO {name}; {SEEN}')
    run_sql(harness_empty_database, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    see = "SELECT public.tell('a', current_setting('work_mem'));"
    nothing = "-- nothing: it stays\n"
    leave = "SELECT set_config('work_mem', '77MB', false);"
    plan = plan_of(tmp_path, (leave, nothing), (see, nothing))
    events: list[Event] = []
    try:
        dsn = make_conninfo(harness_empty_database, user=name, password="p")
        runner.migrate(dsn, plan, on_event=events.append)
        assert {event.kind for event in events} >= {"session_kept", "completed"}
        assert told(harness_empty_database)["a"] != "77MB"
    finally:
        run_sql(harness_empty_database, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


@pytest.fixture
def owner(harness_empty_database: str) -> Iterator[str]:
    """A role that may make tables, but knows nothing of the ledger."""
    name = admin.unique_name("owner")
    run_sql(
        harness_empty_database, f"CREATE ROLE {name}; GRANT ALL ON SCHEMA public TO {name}; {SEEN}"
    )
    run_sql(harness_empty_database, f"GRANT ALL ON public.seen, public.s TO {name}")
    yield name
    run_sql(harness_empty_database, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


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


def test_what_waits_for_the_commit_sees_what_the_script_left(
    tmp_path: Path, harness_empty_database: str, owner: str
) -> None:
    run_sql(
        harness_empty_database,
        "CREATE TABLE public.t (id int);"
        "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM"
        " public.tell('at commit', current_user || ' ' || current_setting('own.a', true));"
        " RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER n AFTER INSERT ON public.t DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION public.note(); GRANT ALL ON public.t TO {owner}",
    )
    forward = f"SET LOCAL ROLE {owner}; SET LOCAL own.a = 'mine'; INSERT INTO public.t VALUES (1);"
    runner.migrate(harness_empty_database, plan_of(tmp_path, (forward, "SELECT 1;")))
    assert told(harness_empty_database) == {"at commit": f"{owner} mine"}


def test_a_script_that_makes_its_transaction_read_only_is_told_so(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, SEEN)
    forward = "SELECT 1;\nSELECT set_config('transaction_read_only', 'on', true);"
    with pytest.raises(StepFailed, match="the script made its transaction read-only") as failed:
        runner.migrate(harness_empty_database, plan_of(tmp_path, (forward, "SELECT 1;")))
    assert str(failed.value.where).endswith("010_s.forward.sql:2")


REFUSED = [
    ("SELECT 1;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;", "comes before every other"),
    ("SELECT 1;\nSET LOCAL transaction_isolation = 'serializable';", "comes before every other"),
    ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSET TRANSACTION READ ONLY;", "checkpoint"),
    ("SELECT 1;\nSET LOCAL transaction_read_only = on;", "checkpoint could not be written"),
    ("SELECT 1;\nSET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;", "outlive the step"),
    ("SELECT 1;\nSET TRANSACTION SNAPSHOT '0-1';", "snapshot of another session"),
    ("SELECT 1;\nCLUSTER;", "CLUSTER of every table"),
    ("SELECT 1;\nALTER DATABASE d SET TABLESPACE s;", "SET TABLESPACE cannot run here"),
    ("SELECT 1;\nCREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p;", "that makes its slot"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_cannot_run_in_the_runners_transaction_is_refused_when_the_plan_is_read(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        plan_of(tmp_path, (text, "SELECT 1;"))
    assert str(refused.value.where).endswith("010_s.forward.sql:2")


VALID = {
    "labels of a new enum": (
        "CREATE TYPE public.e AS ENUM ('a');\nALTER TYPE public.e ADD VALUE 'b';\n"
        "ALTER TABLE public.seen ADD e public.e DEFAULT 'b';"
    ),
    "isolation first": (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE -- it must\n;\nSET LOCAL"
        " transaction_deferrable = on;\n"
        "SELECT public.tell('a', current_setting('transaction_isolation'));"
    ),
    "isolation in a header": (
        "-- set: transaction_isolation=serializable\n"
        "SELECT public.tell('a', current_setting('transaction_isolation'));"
    ),
    "exported snapshot": "SELECT pg_export_snapshot();",
    "own rows by their transaction": (
        "INSERT INTO public.seen (kind, value) VALUES ('a', 'serializable');\n"
        "DELETE FROM public.seen WHERE xmin <> pg_current_xact_id()::xid;"
    ),
    "cursor": "DECLARE c CURSOR FOR SELECT 1;\nFETCH ALL FROM c;\nCLOSE c;",
    "temporary table": (
        "CREATE TEMPORARY TABLE x (a int) ON COMMIT DROP;\nINSERT INTO x VALUES (1);\n"
        "LOCK TABLE public.seen;\nINSERT INTO public.seen (kind) SELECT 'a' FROM x;"
    ),
}


# before 17 psql cannot add a label and use it either
YOUNG = {name for name, text in VALID.items() if "ADD VALUE" in text}
ALL_VALID = [
    pytest.param(text, id=name, marks=pytest.mark.postgres(since=17) if name in YOUNG else ())
    for name, text in VALID.items()
]


@pytest.mark.parametrize("text", ALL_VALID)
def test_a_script_means_what_it_means_in_one_transaction_of_psql(
    tmp_path: Path, harness_empty_database: str, text: str
) -> None:
    run_sql(harness_empty_database, SEEN)
    runner.migrate(harness_empty_database, plan_of(tmp_path, (text, "SELECT 1;")))
    if "serializable" in text.lower():
        assert told(harness_empty_database) == {"a": "serializable"}


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


@pytest.mark.parametrize("ended", ["harness lock", "harness runner"])
def test_a_runner_that_lost_a_connection_between_steps_does_not_go_on_without_it(
    tmp_path: Path, harness_empty_database: str, ended: str
) -> None:
    """A new working session would hide that the lock is gone, or that somebody ended the run."""
    run_sql(harness_empty_database, SEEN)
    nothing = "-- nothing: it stays\n"
    step = "SELECT public.tell('a', 'b');"
    plan = plan_of(tmp_path, (step, nothing), (step, nothing))
    events: list[Event] = []

    def end_it(event: Event) -> None:
        events.append(event)
        if event.kind == "step_done" and event.step == "1/010_s":
            run_sql(
                harness_empty_database,
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE"
                f" application_name = '{ended}' AND datname = current_database()",
            )

    assert runner.migrate(harness_empty_database, plan, on_event=end_it).state == "migrated"
    assert "reconnecting" in [event.kind for event in events]
    assert ask(harness_empty_database, "SELECT count(*) FROM public.seen") == 2


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
