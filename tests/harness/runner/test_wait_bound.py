"""Nobody waits longer for a step than the plan allows: it is rolled back first, and tried again."""

from __future__ import annotations

import threading
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
from harness.core.poll import wait_until
from harness.plan import Plan
from harness.runner.outcome import Event
from tests.harness.support.runner import WAIT, ask, plan_of, run_sql

BUSY = """
CREATE SEQUENCE public.tries;
CREATE FUNCTION public.busy(tries bigint, seconds float) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('public.tries') > tries THEN RETURN; END IF;
  WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted
      AND pg_backend_pid() = ANY (pg_blocking_pids(pid))) LOOP
    PERFORM pg_sleep(0.005);
  END LOOP;
  PERFORM pg_sleep(seconds);
END $$;
CREATE TABLE public.t (id int PRIMARY KEY, word text);
INSERT INTO public.t SELECT generate_series(1, 40);
"""
"""In its first tries, those that are rolled back too, a step works until somebody has waited."""
LOCKED = (
    "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'"
    " AND relation = 'public.t'::regclass"
)
ROW = (
    "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'RowExclusiveLock'"
    " AND relation = 'public.t'::regclass"
)
COLUMNS = "SELECT * FROM public.t LIMIT 0"


@pytest.fixture
def table(harness_empty_database: str) -> str:
    """A database with the table, and work that takes until somebody waits."""
    run_sql(harness_empty_database, BUSY)
    return harness_empty_database


def altering(root: Path, work: str, **settings: Any) -> Plan:
    """A step that locks the table and then works."""
    forward = f"ALTER TABLE public.t ADD n int;\nSELECT {work};"
    plan = plan_of(root, (forward, "ALTER TABLE public.t DROP n;"))
    return bounded(plan, **settings)


def bounded(plan: Plan, **settings: Any) -> Plan:
    """The plan with a bound, and so many tries that a busy machine does not use them up."""
    bounds = {"max_wait": 0.1, "lock_timeout": 60.0, "retries": 99, **settings}
    return replace(plan, runner=replace(plan.runner, **bounds))


@contextmanager
def a_client(dsn: str, when: str, does: str) -> Iterator[Callable[[], list[list[str]]]]:
    """Somebody who does something while the step holds what `when` counts, again and again.

    Gives what columns were seen; to be called when the step is done.
    """
    ended, seen = threading.Event(), list[list[str]]()

    def work() -> None:
        named = make_conninfo(dsn, application_name="shop")
        with psycopg.connect(named, autocommit=True) as conn:
            while not ended.wait(0.005):
                row = conn.execute(when.encode()).fetchone()
                if row is not None and row[0]:
                    cursor = conn.execute(does.encode())
                    seen.append([column.name for column in cursor.description or ()])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield lambda: seen
    finally:
        ended.set()
        thread.join(WAIT)


def heard(told: list[Event], kind: str) -> list[str]:
    return [event.message for event in told if event.kind == kind]


def test_a_step_that_a_client_waits_for_is_rolled_back_and_tried_again(
    table: str, tmp_path: Path
) -> None:
    told = list[Event]()
    with a_client(table, LOCKED, COLUMNS) as seen:
        plan = altering(tmp_path, "public.busy(1, 60)")
        assert runner.migrate(table, plan, on_event=told.append).state == "migrated"
    words = heard(told, "retry")[0]
    assert seen()[0] == ["id", "word"], "it went on before the step was done"
    assert "(shop) waited " in words
    assert "ms for the locks of this step (max_wait = 100 ms) (55P03), attempt 1" in words


def test_planted_without_a_bound_the_client_waits_to_the_end(table: str, tmp_path: Path) -> None:
    told = list[Event]()
    with a_client(table, LOCKED, COLUMNS) as seen:
        plan = altering(tmp_path, "public.busy(1, 0.5)", max_wait=0.0)
        assert runner.migrate(table, plan, on_event=told.append).state == "migrated"
        wait_until(seen, WAIT, "the client's answer")
    assert heard(told, "retry") == []
    assert seen()[0] == ["id", "word", "n"]


def test_a_step_for_which_nobody_waits_may_take_its_time(table: str, tmp_path: Path) -> None:
    told = list[Event]()
    plan = altering(tmp_path, "pg_sleep(0.5)", max_wait=0.05)
    assert runner.migrate(table, plan, on_event=told.append).state == "migrated"
    assert heard(told, "retry") == []


def test_what_never_fits_stops_the_run_which_resumes(table: str, tmp_path: Path) -> None:
    plan = altering(tmp_path, "public.busy(2, 60)", retries=1)
    with a_client(table, LOCKED, COLUMNS), pytest.raises(Stopped) as stopped:
        runner.migrate(table, plan)
    assert stopped.value.exit_status == 5
    assert "(shop) waited" in stopped.value.message
    assert "rolled back each time, in 2 attempts" in stopped.value.message
    assert runner.status(table, plan).state == "partial"
    assert runner.migrate(table, plan).state == "migrated"


def test_a_header_has_a_bound_of_its_own(table: str, tmp_path: Path) -> None:
    text = "-- max_wait: 50ms\nALTER TABLE public.t ADD n int;\nSELECT public.busy(1, 60);"
    plan = bounded(plan_of(tmp_path, (text, "ALTER TABLE public.t DROP n;")))
    assert plan.steps[0].forward.max_wait == 0.05
    told = list[Event]()
    with a_client(table, LOCKED, COLUMNS):
        runner.migrate(table, plan, on_event=told.append)
    assert "(max_wait = 50 ms)" in heard(told, "retry")[0]


def test_a_batch_that_a_client_waits_for_becomes_smaller(table: str, tmp_path: Path) -> None:
    within = "id > %(after)s AND id <= %(upto)s"
    text = (
        "-- kind: batch\n-- table: public.t\n-- key: id\n-- batch: 40\n\n"
        f"UPDATE public.t SET word = 'new' WHERE {within};\n"
        f"SELECT public.busy(1, 60) FROM (SELECT FROM public.t WHERE {within} LIMIT 1) AS x;\n"
    )
    plan = bounded(plan_of(tmp_path, (text, "-- nothing: no way\n")), batch_min_rows=5)
    told = list[Event]()
    with a_client(table, ROW, "UPDATE public.t SET id = id WHERE id = 1 AND word IS NULL"):
        assert runner.migrate(table, plan, on_event=told.append).state == "migrated"
    assert "(shop) waited" in heard(told, "retry")[0]
    assert len([event for event in told if event.kind == "batch"]) >= 2
    assert ask(table, "SELECT count(*) FROM public.t WHERE word = 'new'") == 40


def test_a_lock_that_is_not_granted_is_tried_for_as_long_as_the_plan_says(
    table: str, tmp_path: Path
) -> None:
    calm = {"lock_timeout": 0.01, "retries": 1, "lock_calm": 0.01}
    short = altering(tmp_path, "1", lock_total=0.001, **calm)
    told = list[Event]()
    with psycopg.connect(table) as other:
        other.execute("LOCK TABLE public.t")
        with pytest.raises(Stopped, match="55P03, after 2 attempts") as stopped:
            runner.migrate(table, short)

        def patience(event: Event) -> None:
            told.append(event)
            if len(heard(told, "retry")) == 3:
                other.rollback()

        long = altering(tmp_path, "1", lock_total=3600.0, **calm)
        assert runner.migrate(table, long, on_event=patience).state == "migrated"
    assert stopped.value.exit_status == 5
    assert len(heard(told, "retry")) >= 3
