"""A concurrent step that was killed midway goes on, and goes back, whatever its way back is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.plan import Plan
from harness.runner import backward, concurrent_step
from harness.runner.concurrent_step import _tidy
from harness.runner.context import RunContext
from harness.runner.index import wanted
from harness.runner.session import RunnerSession
from harness.runner.step_work import SqlFailed, StepWork
from tests.harness.support.runner import (
    ask,
    child,
    open_transaction,
    plan_of,
    run_sql,
    until_waiting,
)

TABLE = "CREATE TABLE public.t (a int); CREATE TABLE public.u (a int)"
INDEX = "CREATE INDEX t_a ON public.t (a);"
CREATE = "-- kind: concurrent\n\nCREATE INDEX CONCURRENTLY t_a ON public.t (a);\n"
DROP = "-- kind: concurrent\n\nDROP INDEX CONCURRENTLY public.t_a;\n"
PAIRS = {
    "create, drop concurrently": (CREATE, DROP),
    "create, drop": (CREATE, "DROP INDEX public.t_a;\n"),
    "create, drop among others": (CREATE, "SELECT 1;\nDROP INDEX public.t_a;\nSELECT 2;\n"),
    "create, drop if there": (CREATE, "DROP INDEX IF EXISTS public.t_a;\n"),
    "drop, create concurrently": (DROP, CREATE),
    "drop, create": (DROP, "CREATE INDEX t_a ON public.t (a);\n"),
    "drop, create and say": (DROP, f"{INDEX}\nCOMMENT ON INDEX public.t_a IS 'back';\n"),
}
HELD = {  # what keeps the index in a state: a reader or a writer that was there before
    "not begun": "LOCK TABLE public.t IN SHARE UPDATE EXCLUSIVE MODE",
    "half done": "INSERT INTO public.t VALUES (1)",
}
STATE = """
SELECT CASE WHEN i.indisvalid AND i.indislive AND i.indisready THEN 'whole' ELSE 'half' END
FROM pg_index AS i WHERE i.indexrelid = to_regclass('public.t_a')
"""


@contextmanager
def killed(dsn: str, plan: Plan, held: str) -> Iterator[None]:
    """A runner of the plan was killed while its concurrent statement waited."""
    with open_transaction(dsn, held):
        with child("migrate", dsn, plan) as run:
            orphan = until_waiting(dsn, "%INDEX CONCURRENTLY%")
            run.kill()
            run_sql(dsn, f"SELECT pg_terminate_backend({orphan}, 10000)")
        yield


@pytest.mark.parametrize("held", HELD.values(), ids=list(HELD))
@pytest.mark.parametrize("pair", PAIRS.values(), ids=list(PAIRS))
def test_a_pair_that_was_killed_midway_goes_back(
    tmp_path: Path, harness_empty_database: str, pair: tuple[str, str], held: str
) -> None:
    creates = pair[0] is CREATE
    run_sql(harness_empty_database, TABLE + ("" if creates else f";{INDEX}"))
    plan = plan_of(tmp_path, pair)
    with killed(harness_empty_database, plan, held):
        pass
    assert runner.rollback(harness_empty_database, plan).state == "rolled-back"
    assert ask(harness_empty_database, STATE) == (None if creates else "whole")
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert ask(harness_empty_database, STATE) == ("whole" if creates else None)
    assert runner.rollback(harness_empty_database, plan).state == "rolled-back"


def test_a_way_back_that_does_not_look_is_stuck(
    tmp_path: Path, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the way back is run as it was written, for a step that was done."""
    run_sql(harness_empty_database, TABLE)
    plan = plan_of(tmp_path, PAIRS["create, drop"])
    with killed(harness_empty_database, plan, HELD["not begun"]):
        pass
    monkeypatch.setattr(backward, "script_back", lambda _session, step, _row: step.rollback)
    with pytest.raises(Exception, match="42704"):
        runner.rollback(harness_empty_database, plan)


@pytest.mark.parametrize("flag", ["indisvalid", "indisready", "indislive"])
def test_an_index_that_is_not_whole_is_not_taken_for_built(
    tmp_path: Path, harness_empty_database: str, flag: str
) -> None:
    run_sql(harness_empty_database, TABLE)
    plan = plan_of(tmp_path, (CREATE, DROP))
    with killed(harness_empty_database, plan, HELD["not begun"]):
        pass
    run_sql(harness_empty_database, INDEX)
    run_sql(harness_empty_database, f"UPDATE pg_index SET {flag} = false WHERE indexrelid ="
            " 'public.t_a'::regclass")  # fmt: skip
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert ask(harness_empty_database, STATE) == "whole"


def other_index(dsn: str) -> int:
    """A half-built index of the step's name on another table; its oid."""
    run_sql(dsn, "DROP INDEX IF EXISTS public.t_a; CREATE INDEX t_a ON public.u (a)")
    run_sql(dsn, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass")
    return int(ask(dsn, "SELECT 'public.t_a'::regclass::oid::int"))


def test_another_tables_half_built_index_is_never_dropped(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, TABLE)
    plan = plan_of(tmp_path, (CREATE, DROP))
    with killed(harness_empty_database, plan, HELD["not begun"]):
        pass
    made = other_index(harness_empty_database)
    with pytest.raises(Exception, match=r"is there, but is not an index on public\.t"):
        runner.migrate(harness_empty_database, plan)
    assert ask(harness_empty_database, "SELECT 'public.t_a'::regclass::oid::int") == made


@pytest.mark.parametrize("state", ["42P07", "23505"])
def test_what_another_made_is_not_tidied_away(
    tmp_path: Path, harness_empty_database: str, state: str
) -> None:
    run_sql(harness_empty_database, TABLE)
    plan = plan_of(tmp_path, (CREATE, DROP))
    script = plan.steps[0].forward
    session = RunnerSession(harness_empty_database, RunContext(plan))
    try:
        work = StepWork(session, "1/010_s", 1, script)
        want = wanted(script.statements[0])
        made = other_index(harness_empty_database)
        failure = SqlFailed(psycopg.errors.lookup(state)("planted"), script, script.statements[0])
        _tidy(work, want, failure)
        assert ask(harness_empty_database, "SELECT to_regclass('public.t_a')::oid::int") == made
        run_sql(harness_empty_database, f"DROP INDEX public.t_a; {INDEX}")
        run_sql(harness_empty_database, "UPDATE pg_index SET indisvalid = false WHERE indexrelid ="
                " 'public.t_a'::regclass")  # fmt: skip
        _tidy(work, want, failure)
        left = ask(harness_empty_database, STATE)
        assert left == ("half" if state == "42P07" else None)
    finally:
        session.close()


def test_a_built_index_that_is_not_valid_is_no_success(
    tmp_path: Path, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the statement that builds it leaves an invalid index without an error."""
    run_sql(harness_empty_database, TABLE)

    def half(work: StepWork, _statement: object) -> None:
        run_sql(harness_empty_database, f"DROP INDEX IF EXISTS public.t_a; {INDEX}")
        run_sql(harness_empty_database, "UPDATE pg_index SET indisvalid = false WHERE indexrelid ="
                " 'public.t_a'::regclass")  # fmt: skip

    monkeypatch.setattr(concurrent_step, "_send", half)
    with pytest.raises(Exception, match="is not valid after it was built"):
        runner.migrate(harness_empty_database, plan_of(tmp_path, (CREATE, DROP)))


def test_the_fence_holds_the_run_for_as_long_as_a_transaction_of_it_is_open(
    tmp_path: Path, harness_empty_database: str
) -> None:
    """Would fail if the fence only looked at the run's row and did not lock it."""
    run_sql(harness_empty_database, TABLE)
    taken = "UPDATE migration_control.run SET epoch = epoch + 1"
    plan = plan_of(tmp_path, ("SELECT 1;", "SELECT 1;"), (f"DO $$ BEGIN PERFORM 1; END $$; {LOOK}",
                                                         "SELECT 1;"))  # fmt: skip
    with (
        open_transaction(harness_empty_database, "LOCK TABLE public.u IN ACCESS EXCLUSIVE MODE"),
        child("migrate", harness_empty_database, plan) as run,
        psycopg.connect(harness_empty_database, autocommit=True) as rival,
    ):
        until_waiting(harness_empty_database, "SELECT count(*) FROM public.u")
        rival.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            rival.execute(taken.encode())
        run.kill()


LOOK = "SELECT count(*) FROM public.u;"


@pytest.mark.parametrize("rows", [0, 2, 4, 5])
def test_a_batch_step_ends_with_a_checkpoint_whatever_is_left(
    tmp_path: Path, harness_empty_database: str, rows: int
) -> None:
    """With no row, and with none behind the last full batch, there is a checkpoint to write too."""
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int PRIMARY KEY)")
    run_sql(harness_empty_database, f"INSERT INTO public.t SELECT generate_series(1, {rows})")
    text = (
        "-- kind: batch\n-- table: public.t\n-- key: id\n-- batch: 2\n\n"
        "DELETE FROM public.t WHERE id > %(after)s AND id <= %(upto)s;"
    )
    plan = plan_of(tmp_path, (text, "-- nothing: they are gone\n"))
    assert runner.migrate(harness_empty_database, plan).rows == rows
    kept = "SELECT state || ' ' || rows FROM migration_control.step"
    assert ask(harness_empty_database, kept) == f"done {rows}"
    assert ask(harness_empty_database, "SELECT steps_done FROM migration_control.run") == 1
    assert runner.migrate(harness_empty_database, plan).steps_run == []
