"""A plan is run forward and back, as far as asked, and says where it stands."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.core.errors import InfrastructureError, Refused, UsageError
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


@pytest.fixture
def weak_role(harness_empty_database: str) -> str:
    """A DSN of a role without rights on the database's objects."""
    name = ask(harness_empty_database, "SELECT 'weak_' || current_database()")
    run_sql(harness_empty_database, f"CREATE ROLE {name} LOGIN PASSWORD 'weak'")
    dsn = psycopg.conninfo.make_conninfo(harness_empty_database, user=name, password="weak")
    yield dsn
    run_sql(harness_empty_database, f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_role_without_rights_is_refused_before_anything_is_changed(
    tmp_path: Path, harness_empty_database: str, weak_role: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    with pytest.raises(Refused, match="may not create schemas"):
        runner.migrate(weak_role, plan)
    name = psycopg.conninfo.conninfo_to_dict(weak_role)["user"]
    run_sql(
        harness_empty_database,
        f"DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {name}',"
        " current_database()); END $$",
    )
    with pytest.raises(Refused, match=r"does not own public\.things"):
        runner.migrate(weak_role, plan)
    assert runner.status(harness_empty_database, plan).state == "clean"


def test_status_needs_few_rights(
    tmp_path: Path, harness_empty_database: str, weak_role: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    assert runner.status(weak_role, plan).state == "clean"
    runner.migrate(harness_empty_database, plan)
    hidden = runner.status(weak_role, plan)
    assert hidden.state == "foreign"
    assert "may not read the ledger" in (hidden.reason or "")


def test_the_ledger_gives_the_application_nothing(
    tmp_path: Path, harness_empty_database: str, weak_role: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    name = psycopg.conninfo.conninfo_to_dict(weak_role)["user"]
    run_sql(harness_empty_database, f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {name}")
    run_sql(harness_empty_database, f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {name}")
    run_sql(harness_empty_database, f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO {name}")
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    granted = (
        "SELECT string_agg(c.relname, ' ') FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE c.relnamespace = 'migration_control'::regnamespace AND a.grantee <> c.relowner"
    )
    assert ask(harness_empty_database, granted) is None
    planted = "SELECT has_table_privilege(%s, 'public.kinds', 'SELECT')"
    assert ask(harness_empty_database, planted, name) is True
    assert not ask(
        harness_empty_database,
        "SELECT has_schema_privilege(%s, 'migration_control', 'USAGE')",
        name,
    )


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


def test_a_batch_step_ends_though_users_go_on_inserting(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    batches = []

    def insert_one_more(event: Event) -> None:
        if event.kind == "batch":
            batches.append(event.rows)
            assert len(batches) < 10, "the step chases the users' inserts"
            run_sql(
                harness_empty_database,
                f"INSERT INTO public.things VALUES ({ROWS + len(batches)}, 'late')",
            )

    runner.migrate(harness_empty_database, plan, until="1.1", on_event=insert_one_more)
    assert batches == [400, 800, 1002]


def test_cleanup_waits_for_the_retention_and_ends_the_way_back(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    with pytest.raises(Refused, match="the database is clean"):
        runner.cleanup(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan)
    with pytest.raises(Refused, match=r"kept for 90 days.*--override-retention"):
        runner.cleanup(harness_empty_database, plan)
    with pytest.raises(UsageError, match="needs a reason"):
        runner.cleanup(harness_empty_database, plan, override_retention=" ")
    assert runner.cleanup(harness_empty_database, plan, override_retention="space") == [
        "table public.kinds"
    ]
    assert runner.cleanup(harness_empty_database, plan) == []
    assert (
        ask(harness_empty_database, "SELECT reason FROM migration_control.run WHERE id = 2")
        == "space"
    )
    with pytest.raises(Refused, match="cleaned up"):
        runner.rollback(harness_empty_database, plan)
    assert runner.migrate(harness_empty_database, plan).steps_run == []
    assert runner.status(harness_empty_database, plan).reason == "cleaned up"


def test_cleanup_comes_by_itself_after_the_retention(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    _age(harness_empty_database, "91 days")
    assert runner.cleanup(harness_empty_database, plan) == ["table public.kinds"]


def test_the_window_for_a_rollback_closes(tmp_path: Path, harness_empty_database: str) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    _age(harness_empty_database, "47 hours")
    _age(harness_empty_database, "2 hours")
    with pytest.raises(Refused, match=r"49\.0 hours ago.*48 hours.*--override-window"):
        runner.rollback(harness_empty_database, plan)
    assert runner.status(harness_empty_database, plan).state == "migrated"
    with pytest.raises(UsageError, match="needs a reason"):
        runner.rollback(harness_empty_database, plan, override_window="")
    runner.rollback(harness_empty_database, plan, override_window="the board decided")
    reason = ask(harness_empty_database, "SELECT reason FROM migration_control.run WHERE id = 2")
    assert reason == "the board decided"


def test_within_the_window_no_reason_is_asked(tmp_path: Path, harness_empty_database: str) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    _age(harness_empty_database, "47 hours")
    assert runner.rollback(harness_empty_database, plan).state == "rolled-back"


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


def _age(dsn: str, by: str) -> None:
    run_sql(dsn, f"UPDATE migration_control.run SET completed_at = completed_at - interval '{by}'")


@pytest.mark.parametrize("undone", ["", "ALTER TABLE public.things DROP COLUMN upper_name;\n"])
def test_a_rollback_leaves_what_is_declared_and_says_so(
    tmp_path: Path, harness_empty_database: str, undone: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write(
        "phases/1.1_fill/010_column.rollback.sql",
        f"-- irreversible: kinds are referred to\n-- stays: table public.kinds\n{undone}",
    )
    plan = small.load()
    runner.baseline(harness_empty_database, plan)
    declared = {
        "step": "1.1/010_column",
        "reason": "kinds are referred to",
        "stays": "table public.kinds",
    }
    assert runner.status(harness_empty_database, plan).irreversible == [declared]
    assert runner.migrate(harness_empty_database, plan).irreversible == [declared]
    outcome = runner.rollback(harness_empty_database, plan)
    assert (outcome.state, outcome.irreversible) == ("rolled-back", [declared])
    found = runner.status(harness_empty_database, plan)
    assert (found.state, found.irreversible) == ("rolled-back", [declared])
    assert ask(harness_empty_database, "SELECT to_regclass('public.kinds') IS NOT NULL")


def test_a_rollback_before_an_irreversible_step_leaves_nothing(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write("phases/1.2_index/010_index.rollback.sql", "-- irreversible: it takes hours\n")
    plan = small.load()
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan, until="1.1")
    assert runner.status(harness_empty_database, plan).irreversible == []
    assert runner.rollback(harness_empty_database, plan).irreversible == []


def test_a_cleanup_takes_nothing_along_that_it_does_not_name(
    tmp_path: Path, harness_empty_database: str
) -> None:
    files = SmallPlan(tmp_path / "sql")
    files.write("cleanup/010_kinds.sql", "drop table if exists public.kinds cascade; select 1")
    plan = files.load()
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan)
    run_sql(harness_empty_database, "create view public.own as select * from public.kinds")
    with pytest.raises(Refused, match=r"would take along what it does not name: view public\.own"):
        runner.cleanup(harness_empty_database, plan, override_retention="space")
    assert ask(harness_empty_database, "select count(*) from public.own") is not None
    run_sql(harness_empty_database, "drop view public.own")
    assert "table public.kinds" in runner.cleanup(
        harness_empty_database, plan, override_retention="space"
    )
