"""Whatever a script does to its session ends with it: undisturbed is the same as resumed."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.core.poll import wait_until
from harness.plan import Plan
from harness.runner.lock import KEY
from harness.runner.outcome import Event
from harness.runner.working import WorkingSession
from tests.harness.support.backup import SECRET
from tests.harness.support.runner import ask, plan_of, run_sql
from tests.harness.support.seen import SEEN, told

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
    monkeypatch.setattr(WorkingSession, "refresh", lambda _: None)  # planted: one session for all
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


@pytest.mark.parametrize("kind", ["transaction", "batch", "concurrent"])
def test_the_resources_of_a_step_are_those_of_its_header(
    kind: str, tmp_path: Path, harness_empty_database: str
) -> None:
    given = {"work_mem": "7MB", "maintenance_work_mem": "77MB"}
    given |= {"max_parallel_maintenance_workers": "0", "max_parallel_workers_per_gather": "1"}
    wrong = " OR ".join(f"current_setting('{name}') <> '{value}'" for name, value in given.items())
    run_sql(
        harness_empty_database,
        "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1);"
        "CREATE FUNCTION public.held(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {wrong} THEN RAISE 'other resources'; END IF; RETURN 1; END $$",
    )
    head = "".join(f"-- set: {name}={value}\n" for name, value in given.items())
    texts = {
        "transaction": "SELECT public.held(1);",
        "batch": "-- table: public.t\n-- key: id\nSELECT public.held(id) FROM public.t"
        " WHERE id > %(after)s AND id <= %(upto)s;",
        "concurrent": "CREATE INDEX CONCURRENTLY i ON public.t (public.held(id));",
    }
    nothing = "-- nothing: no way\n"
    plan = plan_of(tmp_path, (f"-- kind: {kind}\n{head}{texts[kind]}", nothing))
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    with pytest.raises(psycopg.errors.RaiseException):  # planted: without the header
        run_sql(harness_empty_database, "SELECT public.held(1)")


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


WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND usename = %s AND application_name = %s
"""


def test_a_limit_of_the_role_does_not_end_who_waits_for_the_lock(
    tmp_path: Path, harness_empty_database: str, role: str
) -> None:
    """The lock is free when the server has ended an idle session that began after the runner's."""
    plan = plan_of(tmp_path, ("SELECT 1;", "SELECT 1;"))
    settings = replace(plan.runner, lock_wait=120.0, lease=120.0)
    database = ask(harness_empty_database, "SELECT current_database()")
    run_sql(
        harness_empty_database,
        f'GRANT CREATE ON DATABASE "{database}" TO {role}; CREATE TABLE public.t ();'
        f" ALTER ROLE {role} SET idle_session_timeout = '1500ms'",
    )
    dsn = make_conninfo(harness_empty_database, user=role, password=SECRET)
    told: list[Event] = []
    with psycopg.connect(harness_empty_database, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [KEY])
        freeing = threading.Thread(target=_free_later, args=(holder, dsn, role))
        freeing.start()
        try:
            runner.migrate(dsn, replace(plan, runner=settings), on_event=told.append)
        finally:
            freeing.join()
            run_sql(harness_empty_database, f"DROP OWNED BY {role} CASCADE")
    kinds = [event.kind for event in told]
    assert ("completed" in kinds, "reconnecting" in kinds) == (True, False)


def _free_later(holder: psycopg.Connection[Any], dsn: str, role: str) -> None:
    """Free the runner's lock when a session is ended that began after those of the runner."""

    def there(name: str) -> bool:
        return holder.execute(WAITING, [role, name]).fetchone() == (1,)

    try:
        wait_until(lambda: there("harness runner"), 120, "the runner's sessions")
        with psycopg.connect(dsn, autocommit=True, application_name="later"):
            wait_until(lambda: not there("later"), 120, "the end of an idle session")
    finally:
        holder.execute("SELECT pg_advisory_unlock(%s)", [KEY])
