"""A failed step is undone and named; a changed plan and a damaged ledger are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import Refused, StepFailed
from harness.core.sqlstate import BY_CLASS, BY_STATE, advice_for
from harness.runner.outcome import Event
from tests.harness.support.runner import (
    SmallPlan,
    ask,
    contents,
    open_transaction,
    prepared,
    run_sql,
)

COLUMN = "phases/1.1_fill/010_column.forward.sql"
FILL = "phases/1.1_fill/020_fill.forward.sql"
INDEX = "phases/1.2_index/010_index.forward.sql"


def test_a_failing_statement_is_named_and_its_whole_step_undone(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write(
        COLUMN,
        "-- summary: fails in its middle\nALTER TABLE public.things ADD COLUMN upper_name text;\n"
        "\nSELECT id,\n  nonsense\nFROM public.things;\nSELECT 1;\n",
    )
    runner.baseline(harness_empty_database, small.load())
    before = contents(harness_empty_database)
    with pytest.raises(StepFailed) as failed:
        runner.migrate(harness_empty_database, small.load())
    assert failed.value.where == f"{tmp_path / COLUMN}:5"
    assert 'column "nonsense" does not exist (SQLSTATE 42703)' in failed.value.message
    assert "in SELECT id, nonsense FROM public.things" in failed.value.message
    assert failed.value.hint
    assert contents(harness_empty_database) == before
    noted = ask(
        harness_empty_database,
        "SELECT message FROM migration_control.event WHERE kind = 'step_failed'",
    )
    assert "42703" in noted


def test_after_the_plan_is_put_right_the_run_is_refused_until_rolled_back(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(COLUMN, "current_setting('harness.sunset')", "current_setting('no.such')")
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match="42704"):
        runner.migrate(harness_empty_database, small.load())
    good = SmallPlan(tmp_path).load()
    with pytest.raises(Refused, match=f"edited {COLUMN}"):
        runner.migrate(harness_empty_database, good)


def test_a_failing_batch_keeps_the_batches_before_it(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(FILL, "coalesce(upper_name, '') || upper(name)", "1 / (id - 950) || 'x'")
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match=r"020_fill.forward.sql:5: division by zero.*22012"):
        runner.migrate(harness_empty_database, small.load())
    assert ask(harness_empty_database, "SELECT count(upper_name) FROM public.things") == 800
    assert (
        ask(harness_empty_database, "SELECT last_key FROM migration_control.step ORDER BY 1") == 800
    )


def test_an_error_that_shows_at_commit_only_is_an_error_of_the_step(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(
        COLUMN,
        "(id bigint PRIMARY KEY, name text)",
        "(id bigint REFERENCES public.things DEFERRABLE INITIALLY DEFERRED, name text)",
    )
    small.replace(COLUMN, "VALUES (1,", "VALUES (-1,")
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match=r"23503.* at commit"):
        runner.migrate(harness_empty_database, small.load())
    assert ask(harness_empty_database, "SELECT to_regclass('public.kinds')") is None


def test_a_unique_index_over_equal_rows_leaves_no_invalid_index(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(INDEX, "(upper_name, id DESC)", "((length(name)))")
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match=r"010_index.forward.sql:2: .*23505"):
        runner.migrate(harness_empty_database, small.load())
    assert ask(harness_empty_database, "SELECT to_regclass('public.things_upper')") is None
    run_sql(harness_empty_database, "DELETE FROM public.things WHERE id > 9")
    run_sql(harness_empty_database, "UPDATE public.things SET name = repeat('x', id::int)")
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"


def edited(small: SmallPlan) -> object:
    return small.replace(COLUMN, "-- summary: a column", "-- summary: one column")


def edited_back(small: SmallPlan) -> object:
    return small.replace(
        "phases/1.2_index/010_index.rollback.sql", "concurrent", "concurrent\n-- x"
    )


def gone(small: SmallPlan) -> object:
    (small.root / INDEX).unlink()
    return (small.root / INDEX.replace("forward", "rollback")).unlink()


def swapped(small: SmallPlan) -> object:
    for way in ("forward", "rollback"):
        small.root.joinpath(f"phases/1.1_fill/010_column.{way}.sql").rename(
            small.root / f"phases/1.1_fill/030_column.{way}.sql"
        )
    return None


def added(small: SmallPlan) -> object:
    small.write("phases/1.2_index/020_new.forward.sql", "SELECT 1;")
    return small.write("phases/1.2_index/020_new.rollback.sql", "-- nothing: none")


def variable(small: SmallPlan) -> object:
    return small.replace("plan.toml", "2030", "2031")


CHANGES: dict[str, tuple[Callable[[SmallPlan], object], str]] = {
    "edited": (edited, f"edited {COLUMN}"),
    "edited rollback": (edited_back, "edited phases/1.2_index/010_index.rollback.sql"),
    "swapped": (swapped, f"removed {COLUMN}"),
    "added": (added, "added phases/1.2_index/020_new.forward.sql"),
    "variable": (variable, "edited plan.toml"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_changed_between_runs_is_refused_by_name(
    tmp_path: Path, harness_empty_database: str, change: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1")
    before = contents(harness_empty_database)
    small = SmallPlan(tmp_path)
    make, said = CHANGES[change]
    make(small)
    for call in (runner.migrate, runner.rollback):
        with pytest.raises(Refused, match="the plan changed since run 1") as refused:
            call(harness_empty_database, small.load())
        assert said in str(refused.value)
    assert contents(harness_empty_database) == before


def test_a_file_missing_from_the_plan_is_refused_by_name(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1")
    small = SmallPlan(tmp_path)
    small.write("phases/1.2_index/020_other.forward.sql", "SELECT 1;")
    small.write("phases/1.2_index/020_other.rollback.sql", "-- nothing: none")
    gone(small)
    with pytest.raises(Refused, match=f"removed {INDEX}"):
        runner.migrate(harness_empty_database, small.load())


def test_tuning_the_runner_between_runs_is_allowed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    small = SmallPlan(tmp_path)
    small.replace("plan.toml", "batch_rows = 400", "batch_rows = 100")
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"


def test_migrate_is_refused_while_a_rollback_is_unfinished(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(
        "phases/1.1_fill/010_column.rollback.sql", "DROP TABLE", "SELECT 1 / 0; DROP TABLE"
    )
    runner.baseline(harness_empty_database, small.load())
    runner.migrate(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match="22012"):
        runner.rollback(harness_empty_database, small.load())
    found = runner.status(harness_empty_database, small.load())
    assert (found.state, found.phases["1.1"]) == ("rolling-back", {"done": 1, "total": 2})
    with pytest.raises(Refused, match="finish it with `harness rollback`"):
        runner.migrate(harness_empty_database, small.load())


DAMAGE = {
    "deleted": ("DELETE FROM migration_control.step WHERE position = 1", "1 finished steps, not 2"),
    "changed": ("UPDATE migration_control.step SET last_key = last_key - 1", "020_fill in run 1"),
    "flipped": (
        "UPDATE migration_control.step SET state = 'running' WHERE position = 1",
        "010_column in run 1 was changed",
    ),
    "version": ("UPDATE migration_control.ledger SET version = 9", "version 9; this harness knows"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_ledger_is_refused_not_guessed_at(
    tmp_path: Path, harness_empty_database: str, damage: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1")
    statement, said = DAMAGE[damage]
    run_sql(harness_empty_database, statement)
    before = contents(harness_empty_database)
    for call in (runner.migrate, runner.rollback):
        with pytest.raises(Refused, match=said):
            call(harness_empty_database, plan)
    assert contents(harness_empty_database) == before
    assert said.split()[0] in str(runner.status(harness_empty_database, plan).reason)


def test_an_index_of_that_name_that_we_did_not_make_is_refused_and_kept(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    run_sql(harness_empty_database, "CREATE INDEX things_upper ON public.things (name)")
    with pytest.raises(Refused, match="this run did not make it"):
        runner.migrate(harness_empty_database, plan)
    runner.rollback(harness_empty_database, plan)
    kept = ask(harness_empty_database, "SELECT pg_get_indexdef('public.things_upper'::regclass)")
    assert kept == "CREATE INDEX things_upper ON public.things USING btree (name)"


def test_a_lock_that_is_never_granted_ends_in_an_error_that_says_so(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace("plan.toml", 'lock_timeout = "200ms"', 'lock_timeout = "20ms"\nretries = 2')
    runner.baseline(harness_empty_database, small.load())
    told = list[Event]()
    with (
        open_transaction(harness_empty_database, "LOCK TABLE public.things IN ACCESS SHARE MODE"),
        pytest.raises(StepFailed, match=r"010_column.forward.sql:3: .*55P03, after 3 attempts"),
    ):
        runner.migrate(harness_empty_database, small.load(), on_event=told.append)
    assert [event.kind for event in told].count("retry") == 2
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"


def test_every_state_has_advice_and_unknown_ones_too() -> None:
    for state in ("55P03", "42P99", "99999", None):
        assert advice_for(state).advice
    assert advice_for("42P99") == BY_CLASS["42"]
    assert advice_for("40P01").retry == "patiently"
    assert advice_for("42601").retry == "never"
    for advice in (*BY_STATE.values(), *BY_CLASS.values()):
        assert advice.advice == advice.advice.rstrip(".")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER ROLE no_such_role WITH LOGIN PASSWORD 'sEcret''x'",
        "CREATE ROLE no_such_role PASSWORD E'sEcret' IN ROLE nobody_here",
        "CREATE USER MAPPING FOR public SERVER no_such OPTIONS (user 'u', password 'sEcret')",
        "CREATE SUBSCRIPTION s CONNECTION 'password=sEcret' PUBLICATION p WITH (connect, x = 1)",
    ],
)
def test_a_failing_statement_does_not_tell_its_password(
    tmp_path: Path, harness_empty_database: str, statement: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write(COLUMN, f"{statement};\n")
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed) as failed:
        runner.migrate(harness_empty_database, small.load())
    assert "sEcret" not in str(failed.value)
    assert "***" in str(failed.value)
    noted = runner.status(harness_empty_database, small.load()).error
    assert noted is not None
    assert "sEcret" not in noted


def test_an_extension_that_is_not_there_points_to_a_server_that_has_it(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write(COLUMN, "CREATE EXTENSION no_such_extension;\n")
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match="--server system"):
        runner.migrate(harness_empty_database, small.load())
