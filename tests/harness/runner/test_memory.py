"""The runner keeps no row that a script selects, and stops at the ceiling of its memory."""

from __future__ import annotations

import multiprocessing
import resource
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.core.errors import StepFailed, Stopped
from harness.plan import Plan
from harness.runner.discard import changed_rows
from harness.runner.working import WorkingSession
from tests.harness.support.runner import WAIT, ask, plan_of, run_sql

SELECT = "SELECT g, repeat('x', 100) FROM generate_series(1, {}) AS g;"
NOTHING = "-- nothing: it stays\n"


def keeping(work: WorkingSession, text: str) -> int:
    """A planted defect: the whole answer is in memory before it is looked at."""
    work.execute(text.encode())
    return 0


def peak(dsn: str, plan: Plan, planted: bool) -> int:
    """Kilobytes that a runner had at most, in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(dsn, plan, planted, theirs), daemon=True)
    process.start()
    assert ours.poll(WAIT), "the runner did not report"
    found = ours.recv()
    process.join(WAIT)
    assert isinstance(found, int), found
    return found


def _run(dsn: str, plan: Plan, planted: bool, pipe: object) -> None:
    if planted:
        WorkingSession.change = keeping  # type: ignore[method-assign]
    runner.migrate(dsn, plan)
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # type: ignore[attr-defined]


def test_what_a_script_selects_takes_no_memory(tmp_path: Path, harness_empty_database: str) -> None:
    few, many = (
        plan_of(tmp_path / str(rows), (SELECT.format(rows), NOTHING)) for rows in (1000, 200_000)
    )
    peaks = []
    for plan, planted in ((few, False), (many, False), (many, True)):
        peaks.append(peak(harness_empty_database, plan, planted))
        runner.rollback(harness_empty_database, plan)
    least, discarded, kept = peaks
    assert kept - least > 20_000, peaks
    assert discarded - least < (kept - least) / 4, peaks


def test_rows_are_counted_and_errors_told_as_ever(harness_empty_database: str) -> None:
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        assert changed_rows(conn, b"CREATE TABLE public.t (id int)") == 0
        text = b"INSERT INTO public.t SELECT generate_series(1, 3000) RETURNING id"
        assert changed_rows(conn, text) == 3000
        assert changed_rows(conn, b"SELECT * FROM public.t") == 0
        assert changed_rows(conn, b"UPDATE public.t SET id = 1; DELETE FROM public.t") == 6000
        assert changed_rows(conn, b"-- nothing") == 0
        late = b"SELECT 1 / (2500 - g) FROM generate_series(1, 3000) AS g"
        with pytest.raises(psycopg.errors.DivisionByZero):
            changed_rows(conn, late)
        assert changed_rows(conn, b"SELECT 1") == 0
    with (
        closing(psycopg.connect(harness_empty_database, autocommit=True)) as conn,
        pytest.raises(psycopg.ProgrammingError, match="COPY_OUT"),
    ):
        changed_rows(conn, b"COPY public.t TO STDOUT")
    with closing(psycopg.connect(harness_empty_database, autocommit=True)) as conn:
        with pytest.raises(psycopg.errors.AdminShutdown):
            changed_rows(conn, b"SELECT 1; SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(psycopg.OperationalError):
            changed_rows(conn, b"SELECT 1")


def test_a_script_that_fails_late_in_its_rows_is_rolled_back_and_explained(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int)")
    text = (
        "INSERT INTO public.t VALUES (1);\n\n"
        "SELECT 1 / (2500 - g) FROM generate_series(1, 3000) AS g;"
    )
    with pytest.raises(StepFailed, match=r"division by zero \(SQLSTATE 22012\)") as failed:
        runner.migrate(harness_empty_database, plan_of(tmp_path, (text, NOTHING)))
    assert failed.value.where is not None
    assert failed.value.where.endswith("010_s.forward.sql:3")
    assert ask(harness_empty_database, "SELECT count(*) FROM public.t") == 0


def test_a_runner_with_more_memory_than_the_plan_allows_stops_and_resumes(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = plan_of(tmp_path, ("SELECT 1;", NOTHING))
    small = replace(plan, runner=replace(plan.runner, max_memory_bytes=1000))
    with pytest.raises(Stopped, match=r"and the plan allows 1\.0 kB \(max_memory_bytes\)") as error:
        runner.migrate(harness_empty_database, small)
    assert error.value.exit_status == 5
    large = replace(plan, runner=replace(plan.runner, max_memory_bytes=2**50))
    assert runner.migrate(harness_empty_database, large).state == "migrated"
