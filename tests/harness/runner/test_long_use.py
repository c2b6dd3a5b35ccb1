"""Before a step asks for strong locks it looks who has used their tables for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness import runner
from harness.core.errors import Stopped
from harness.database import admin
from harness.plan import Plan
from harness.runner.outcome import Event
from tests.harness.support.runner import ask, plan_of, run_sql

STEP = ("ALTER TABLE public.t ADD n int;", "ALTER TABLE public.t DROP n;")
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def looking(root: Path, **settings: Any) -> Plan:
    """A plan with one step that alters a table; whoever uses it uses it for long."""
    plan = plan_of(root, STEP)
    return replace(plan, runner=replace(plan.runner, **{"long_use": 0.001, **settings}))


def patient(plan: Plan) -> Plan:
    """The same, but for who has hung up and is not gone yet."""
    return replace(plan, runner=replace(plan.runner, long_use_wait=60.0))


@contextmanager
def using(dsn: str, application: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that has read the table and stays open."""
    with psycopg.connect(make_conninfo(dsn, application_name=application)) as conn:
        conn.execute("SELECT 'secret' FROM public.t")
        yield conn


@pytest.fixture
def table(harness_empty_database: str) -> str:
    """A database with the table."""
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int)")
    return harness_empty_database


def on(kind: str, then: Callable[[str], None], told: list[Event]) -> Callable[[Event], None]:
    """Listens, and does something at the first event of a kind."""

    def listen(event: Event) -> None:
        told.append(event)
        if event.kind == kind and [one.kind for one in told].count(kind) == 1:
            then(event.message)

    return listen


def test_a_long_user_is_named_and_waited_for_and_nobody_is_made_to_queue(
    table: str, tmp_path: Path
) -> None:
    told, queued, words = list[Event](), list[int](), list[str]()
    with using(table, "report") as user:
        pid = user.info.backend_pid

        def let_go(said: str) -> None:
            words.append(said)
            queued.append(ask(table, WAITING))
            user.rollback()

        plan = looking(tmp_path)
        assert runner.migrate(table, plan, on_event=on("long_use", let_go, told)).state
    assert words[0].startswith(f"process {pid} (report) holds public.t for ")
    assert words[0].endswith("s, idle in transaction")
    assert queued == [0]
    kinds = [event.kind for event in told]
    assert "retry" not in kinds
    assert kinds.index("long_use") < kinds.index("long_use_ended") < kinds.index("step_done")
    noted = "SELECT message FROM migration_control.event WHERE kind = 'long_use'"
    assert ask(table, noted) == words[0]


def test_planted_a_runner_that_does_not_look_queues(table: str, tmp_path: Path) -> None:
    told = list[Event]()
    with using(table, "report") as user:
        plan = looking(tmp_path, long_use=0.0, lock_timeout=0.05, retries=99)
        listen = on("retry", lambda _: user.rollback(), told)
        assert runner.migrate(table, plan, on_event=listen).state == "migrated"
    assert "long_use" not in {event.kind for event in told}


def test_a_user_that_stays_stops_the_run_which_resumes(table: str, tmp_path: Path) -> None:
    plan = looking(tmp_path, long_use_wait=0.001)
    with using(table, "report") as user:
        pid = user.info.backend_pid
        with pytest.raises(Stopped) as stopped:
            runner.migrate(table, plan)
    error = stopped.value
    assert error.exit_status == 5
    assert f"process {pid} (report) holds public.t for" in error.message
    assert error.hint is not None
    assert f"pg_terminate_backend({pid})" in error.hint
    assert "secret" not in str(error)
    assert runner.status(table, plan).state == "partial"
    assert runner.migrate(table, patient(plan)).state == "migrated"


def test_a_dump_is_a_long_user_from_its_first_moment(table: str, tmp_path: Path) -> None:
    plan = looking(tmp_path, long_use=86_400.0, long_use_wait=0.001)
    with using(table, "pg_dump"), pytest.raises(Stopped, match="pg_dump"):
        runner.migrate(table, plan)


def test_an_age_that_is_hidden_is_not_young(table: str, tmp_path: Path) -> None:
    name = admin.unique_name("owner")
    database = admin.dbname(table)
    run_sql(table, f"CREATE ROLE {name} LOGIN PASSWORD 'x'; ALTER TABLE public.t OWNER TO {name}")
    run_sql(table, f'GRANT CREATE ON DATABASE "{database}" TO {name}')
    run_sql(table, f"GRANT ALL ON SCHEMA public TO {name}")
    dsn = make_conninfo(table, user=name, password="x")
    plan = looking(tmp_path, long_use=0.01, long_use_wait=0.02)
    try:
        with using(table, "report"), pytest.raises(Stopped) as stopped:
            runner.migrate(dsn, plan)
        said = str(stopped.value)
        assert f"holds public.t, for how long is hidden from role {name}" in said
        assert f"GRANT pg_read_all_stats TO {name}" in said
        assert runner.migrate(dsn, patient(plan)).state == "migrated"
    finally:
        run_sql(table, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def test_who_uses_another_table_or_only_reads_where_writers_stop_is_no_matter(
    table: str, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path, ("CREATE INDEX i ON public.t (id);", "DROP INDEX public.i;"))
    plan = replace(plan, runner=replace(plan.runner, long_use=0.001, long_use_wait=0.001))
    run_sql(table, "CREATE TABLE public.other (id int)")
    with using(table, "report") as user:
        user.execute("LOCK TABLE public.other")
        assert runner.migrate(table, plan).state == "migrated"


CREATE = "-- kind: concurrent\nCREATE INDEX CONCURRENTLY i ON public.t (id);"
DROP = "-- kind: concurrent\nDROP INDEX CONCURRENTLY public.i;"
MADE = "SELECT count(*) FROM pg_class WHERE relname = 'i'"


def building(root: Path, **settings: Any) -> Plan:
    """A plan with one index; whoever is in its way is so for long."""
    plan = plan_of(root, (CREATE, DROP))
    return replace(plan, runner=replace(plan.runner, **{"long_use": 0.001, **settings}))


def test_an_index_is_not_begun_behind_an_old_snapshot_which_is_named(
    table: str, tmp_path: Path
) -> None:
    told, made, words = list[Event](), list[int](), list[str]()
    run_sql(table, "CREATE TABLE public.other (id int)")
    with psycopg.connect(make_conninfo(table, application_name="report")) as user:
        pid = user.info.backend_pid
        user.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        user.execute("SELECT 'secret' FROM public.other")

        def let_go(said: str) -> None:
            words.append(said)
            made.append(ask(table, MADE))
            user.rollback()

        plan = patient(building(tmp_path))
        assert runner.migrate(table, plan, on_event=on("long_use", let_go, told)).state
    (said,) = words
    assert said.startswith(f"process {pid} (report) holds a snapshot for ")
    assert made == [0]
    assert ask(table, MADE) == 1
    assert "retry" not in {event.kind for event in told}


def test_an_index_is_not_dropped_behind_who_reads_its_table(table: str, tmp_path: Path) -> None:
    plan = building(tmp_path, long_use_wait=0.001)
    with using(table, "report") as user:  # its snapshot ended with its query
        assert runner.migrate(table, patient(plan)).state == "migrated"
        with pytest.raises(Stopped, match=r"\(report\) holds public\.t for"):
            runner.rollback(table, plan)
        user.rollback()
    assert ask(table, MADE) == 1
    assert runner.rollback(table, patient(plan)).state == "rolled-back"


def test_planted_a_build_that_does_not_look_is_lost_and_tried_again(
    table: str, tmp_path: Path
) -> None:
    told = list[Event]()
    with using(table, "report") as user:
        user.execute("INSERT INTO public.t VALUES (1)")
        plan = building(tmp_path, long_use=0.0, concurrent_lock_timeout=0.05, retries=99)
        listen = on("retry", lambda _: user.rollback(), told)
        assert runner.migrate(table, plan, on_event=listen).state == "migrated"
    assert "long_use" not in {event.kind for event in told}


def test_a_block_is_read_and_what_it_puts_together_is_said_not_to_be(
    table: str, tmp_path: Path
) -> None:
    told = list[Event]()
    block = (
        "DO $$ BEGIN ALTER TABLE public.t ADD n int; EXECUTE 'CREATE TABLE public.made ()'; END $$;"
    )
    plan = plan_of(tmp_path, (block, "-- nothing: it stays\n"))
    plan = replace(plan, runner=replace(plan.runner, long_use=0.001, long_use_wait=600.0))
    with using(table, "report") as user:
        listen = on("long_use", lambda _: user.rollback(), told)
        assert runner.migrate(table, plan, on_event=listen).state == "migrated"
    said = {event.kind: event.message for event in told}
    assert "(report) holds public.t for" in said["long_use"]
    assert said["locks_unseen"].startswith("which tables are locked is not known: a DO block whose")
