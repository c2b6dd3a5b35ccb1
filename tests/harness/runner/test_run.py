"""A plan is run forward and back, as far as asked, and says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import InfrastructureError, Refused
from harness.runner.outcome import Event
from tests.harness.support.runner import BASELINE, ROWS, SmallPlan, ask, contents, prepared, run_sql

STEPS = ["1.1/010_column", "1.1/020_fill", "1.2/010_index"]
INDEX = "phases/1.2_index/010_index"


def test_forward_and_back_leaves_the_database_as_it_was(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    before = contents(harness_empty_database)
    there = runner.migrate(harness_empty_database, plan)
    assert (there.state, there.steps_run, there.rows) == ("migrated", STEPS, ROWS + 1)
    assert contents(harness_empty_database) != before
    back = runner.rollback(harness_empty_database, plan)
    assert (back.state, back.steps_run, back.archived) == ("rolled-back", STEPS[::-1], {})
    assert contents(harness_empty_database) == before


def test_migrated_again_after_a_rollback_is_migrated_once(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    once = contents(harness_empty_database)
    runner.rollback(harness_empty_database, plan)
    again = runner.migrate(harness_empty_database, plan)
    assert (again.resumed, again.steps_run) == (False, STEPS)
    assert contents(harness_empty_database) == once


def test_a_finished_database_is_left_alone(tmp_path: Path, harness_empty_database: str) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    once, told = contents(harness_empty_database), list[Event]()
    again = runner.migrate(harness_empty_database, plan, on_event=told.append)
    assert (again.state, again.steps_run, again.steps_skipped) == ("migrated", [], STEPS)
    assert [event.kind for event in told] == ["nothing"]
    assert contents(harness_empty_database) == once


def test_until_stops_after_a_phase_and_the_next_run_goes_on(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    first = runner.migrate(harness_empty_database, plan, until="1.1")
    assert (first.state, first.steps_run) == ("partial", STEPS[:2])
    found = runner.status(harness_empty_database, plan)
    assert (found.state, found.step) == ("partial", "1.1/020_fill")
    assert found.phases == {"1.1": {"done": 2, "total": 2}, "1.2": {"done": 0, "total": 1}}
    rest = runner.migrate(harness_empty_database, plan)
    assert (rest.state, rest.resumed, rest.steps_skipped) == ("migrated", True, STEPS[:2])


@pytest.mark.parametrize("until", STEPS[:2])
def test_a_half_done_run_is_rolled_back(
    tmp_path: Path, harness_empty_database: str, until: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    before = contents(harness_empty_database)
    runner.migrate(harness_empty_database, plan, until=until)
    runner.rollback(harness_empty_database, plan)
    assert contents(harness_empty_database) == before
    assert runner.status(harness_empty_database, plan).state == "rolled-back"


def test_status_names_every_state(tmp_path: Path, harness_empty_database: str) -> None:
    plan = SmallPlan(tmp_path).load()
    nothing = runner.status(harness_empty_database, plan)
    assert (nothing.state, nothing.reason) == ("foreign", "the database is empty")
    run_sql(harness_empty_database, "CREATE TABLE public.other (id int)")
    other = runner.status(harness_empty_database, plan)
    assert (other.state, other.reason) == ("foreign", "these relations are missing: public.things")
    run_sql(harness_empty_database, "DROP TABLE public.other")
    runner.baseline(harness_empty_database, plan)
    assert runner.status(harness_empty_database, plan).state == "clean"
    run_sql(harness_empty_database, "CREATE TABLE public.kinds (id int)")
    target = runner.status(harness_empty_database, plan)
    assert target.state == "foreign"
    assert "public.kinds" in (target.reason or "")
    run_sql(harness_empty_database, "DROP TABLE public.kinds")
    runner.migrate(harness_empty_database, plan)
    assert runner.status(harness_empty_database, plan).direction == "forward"
    runner.rollback(harness_empty_database, plan)
    assert runner.status(harness_empty_database, plan).state == "rolled-back"


def test_a_foreign_database_is_refused_and_untouched(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = SmallPlan(tmp_path).load()
    for call in (runner.migrate, runner.rollback):
        with pytest.raises(Refused, match="the database is empty"):
            call(harness_empty_database, plan)
    assert (
        ask(harness_empty_database, "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'migr%'") is None
    )


def test_a_missing_column_and_a_ledger_that_is_not_ours_are_refused(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    run_sql(harness_empty_database, "ALTER TABLE public.things RENAME name TO title")
    with pytest.raises(Refused, match=r"columns are missing: public\.things\.name"):
        runner.migrate(harness_empty_database, plan)
    run_sql(harness_empty_database, "CREATE SCHEMA migration_control")
    with pytest.raises(Refused, match="holds no ledger"):
        runner.migrate(harness_empty_database, plan)


def test_no_server_is_an_infrastructure_error_without_the_password(tmp_path: Path) -> None:
    plan = SmallPlan(tmp_path).load()
    with pytest.raises(InfrastructureError) as refused:
        runner.migrate("postgresql://me:secret@127.0.0.1:1/x", plan)
    assert "secret" not in str(refused.value)


def test_the_baseline_goes_into_an_empty_database_only(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write("baseline/020_bad.sql", "SELECT 1;\n\nSELECT nothing;")
    with pytest.raises(Exception, match=r"020_bad.sql:3.*42703"):
        runner.baseline(harness_empty_database, small.load())
    # a file that was done stays done, and nothing but the baseline's own end is let in
    with pytest.raises(Refused, match="baseline"):
        runner.migrate(harness_empty_database, small.load())
    small.write("baseline/020_bad.sql", "SELECT 1;")
    assert runner.baseline(harness_empty_database, small.load()) == ["public.things"]
    with pytest.raises(Refused, match="not empty"):
        runner.baseline(harness_empty_database, small.load())


def test_scripts_see_the_plans_variables_and_no_search_path(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write(
        "phases/1.1_fill/010_column.forward.sql",
        "-- set: work_mem=77MB\nCREATE TABLE public.kinds AS SELECT 1 AS id, concat_ws('|',"
        " current_setting('harness.sunset'), current_setting('harness.run_id'),"
        " current_setting('search_path'), current_setting('TimeZone'),"
        " current_setting('lock_timeout'), current_setting('work_mem')) AS name;"
        " ALTER TABLE public.things ADD COLUMN upper_name text;",
    )
    runner.baseline(harness_empty_database, small.load())
    run_sql(harness_empty_database, "SET search_path = public")
    runner.migrate(harness_empty_database, small.load())
    seen = ask(harness_empty_database, "SELECT name FROM public.kinds")
    assert seen == '2030-01-01|1|""|UTC|200ms|77MB'.replace('""', "")


def test_a_runner_without_rows_does_nothing_but_the_steps(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write("baseline/010_things.sql", BASELINE.split("INSERT", maxsplit=1)[0])
    runner.baseline(harness_empty_database, small.load())
    assert runner.migrate(harness_empty_database, small.load()).rows == 1


def test_every_key_is_visited_once_whatever_the_gaps(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace("baseline/010_things.sql", "generate_series(1, 1000)", "generate_series(-9, 9)")
    small.replace(
        "baseline/010_things.sql",
        "AS g;",
        "AS g; INSERT INTO public.things VALUES (-9223372036854775807, 'a'),"
        " (9223372036854775807, 'z'), (4611686018427387904, 'm');",
    )
    small.replace("phases/1.1_fill/020_fill.forward.sql", "-- key: id", "-- key: id\n-- batch: 2")
    runner.baseline(harness_empty_database, small.load())
    assert runner.migrate(harness_empty_database, small.load(), until="1.1").rows == 22 + 1
    wrong = "SELECT count(*) FROM public.things WHERE upper_name IS DISTINCT FROM upper(name)"
    assert ask(harness_empty_database, wrong) == 0


@pytest.mark.parametrize("late", [1, ROWS])
def test_a_batch_step_ends_however_fast_users_insert(
    late: int, tmp_path: Path, harness_empty_database: str
) -> None:
    """After each batch there are as many rows more as one batch takes, or several."""
    plan = prepared(tmp_path, harness_empty_database)
    batches = []

    def insert_more(event: Event) -> None:
        if event.kind == "batch":
            batches.append(event.rows)
            assert len(batches) < 10, "the step chases the users' inserts"
            first = ROWS + late * len(batches)
            run_sql(
                harness_empty_database,
                f"INSERT INTO public.things SELECT g, 'late'"
                f" FROM generate_series({first + 1}, {first + late}) AS g",
            )

    runner.migrate(harness_empty_database, plan, until="1.1", on_event=insert_more)
    assert batches == [400, 800, ROWS]
    late_ones = f"SELECT bool_or(upper_name IS NOT NULL) FROM public.things WHERE id > {ROWS}"
    assert ask(harness_empty_database, late_ones) is False


def test_a_waived_backup_is_recorded(tmp_path: Path, harness_empty_database: str) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, waive_backup="a copy", until="1.1")
    assert ask(harness_empty_database, "SELECT reason FROM migration_control.run") == "a copy"


def test_what_the_rollback_archived_is_counted(tmp_path: Path, harness_empty_database: str) -> None:
    small = SmallPlan(tmp_path)
    small.replace(
        "phases/1.1_fill/010_column.rollback.sql",
        "DROP TABLE public.kinds;",
        "INSERT INTO migration_control.archived SELECT"
        " current_setting('harness.run_id')::bigint, 'kinds', 3; DROP TABLE public.kinds;",
    )
    runner.baseline(harness_empty_database, small.load())
    runner.migrate(harness_empty_database, small.load())
    assert runner.rollback(harness_empty_database, small.load()).archived == {"kinds": 3}
