"""A dry run names each mistake of a plan by its file and line, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import runner
from harness.plan import Plan, load
from harness.scenario.dry_run import dry_run
from tests.harness.support.cases import plan_of
from tests.harness.support.dry_run import BACK, COLUMN, added, critical, the_lock, the_step
from tests.harness.support.runner import SmallPlan, run_sql

INDEX = "phases/1.2_index/010_index.forward.sql"


def with_limit(plan: Plan, seconds: float) -> Plan:
    return replace(plan, dry_run=replace(plan.dry_run, max_lock=seconds))


def test_a_check_with_a_subquery_is_reported_with_file_line_statement_sqlstate_and_hint(
    small: SmallPlan, harness_empty_database: str
) -> None:
    broken = "ALTER TABLE public.things ADD CONSTRAINT known\n  CHECK (id IN (SELECT 1));"
    run = dry_run(harness_empty_database, added(small, broken))
    (finding,) = critical(run)
    assert finding.id == "dry-run.step-failed"
    assert finding.where == f"{small.root / COLUMN}:5"  # Postgres gives no position within it
    assert "SQLSTATE: 0A000" in finding.evidence
    assert "statement: ALTER TABLE public.things ADD CONSTRAINT known" in finding.evidence
    assert "use a trigger" in finding.hint
    assert run.verdict == "fail"
    document = run.document()
    assert document.errors[0].line == 5
    assert document.estimate_seconds is None
    assert document.way_back.equal is True


def test_a_change_of_type_that_rewrites_the_table_is_named(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = added(
        small,
        "ALTER TABLE public.things ALTER COLUMN name TYPE varchar(40);",
        "ALTER TABLE public.things ALTER COLUMN name TYPE text;",
    )
    run = dry_run(harness_empty_database, plan)
    (finding,) = critical(run)
    assert (finding.id, finding.where) == ("dry-run.rewrite", f"{COLUMN}:5")
    lock = the_lock(the_step(run, "1.1/010_column"), "public.things", "AccessExclusiveLock")
    assert lock.rewrites
    assert lock.stops == "reads and writes"


def test_an_index_built_while_writers_wait_is_named_beside_what_squawk_says(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = added(
        small, "CREATE INDEX things_name ON public.things (name);", "DROP INDEX public.things_name;"
    )
    run = dry_run(harness_empty_database, plan)
    (finding,) = critical(run)
    assert (finding.id, finding.where) == ("dry-run.index-stops-writers", f"{COLUMN}:5")
    step = the_step(run, "1.1/010_column")
    (lint,) = [one for one in step.squawk if one.rule == "require-concurrent-index-creation"]
    assert lint.line == 5
    assert "share on public.things for" in lint.happened
    assert "1,000 rows of public.things read" in lint.happened


def test_a_constraint_checked_at_once_is_named_and_one_not_valid_is_not(
    small: SmallPlan, harness_empty_database: str
) -> None:
    constraint = "ALTER TABLE public.things ADD CONSTRAINT positive CHECK (id > 0)"
    undone = "ALTER TABLE public.things DROP CONSTRAINT positive;"
    text = (small.root / COLUMN).read_text(), (small.root / BACK).read_text()
    run = dry_run(harness_empty_database, added(small, f"{constraint};", undone))
    assert [one.id for one in critical(run)] == ["dry-run.scan-under-lock"]
    small.write(COLUMN, text[0])
    small.write(BACK, text[1])
    assert (
        dry_run(harness_empty_database, added(small, f"{constraint} NOT VALID;", undone)).verdict
        == "pass"
    )


@pytest.mark.parametrize(
    ("text", "waiting"),
    [
        ("LOCK TABLE public.things IN SHARE ROW EXCLUSIVE MODE;", "keeps reads and writes"),
        ("UPDATE public.things SET name = name;", "keeps reads and writes"),
    ],
)
def test_a_lock_held_too_long_is_named_with_its_line_and_length(
    small: SmallPlan, harness_empty_database: str, text: str, waiting: str
) -> None:
    plan = added(small, f"{text}\nSELECT pg_catalog.pg_sleep(0.5);")
    run = dry_run(harness_empty_database, with_limit(plan, 0.45))
    ours = [one for one in critical(run) if one.where.startswith(COLUMN)]  # others: a busy machine
    asleep, finding = sorted(ours, key=lambda one: one.id, reverse=True)
    assert asleep.id == "dry-run.sleeps"
    assert "sleeps while users of public.things wait" in asleep.message
    assert finding.id == "dry-run.lock-held"
    assert waiting in finding.message
    assert finding.where == f"{COLUMN}:3"  # the ALTER TABLE of the small plan took it first
    assert [one.id for one in critical(dry_run(harness_empty_database, with_limit(plan, 30)))] == [
        "dry-run.sleeps"
    ]


def test_rows_changed_outside_batches_keep_their_writers_waiting(
    small: SmallPlan, harness_empty_database: str
) -> None:
    slow = "UPDATE public.things SET name = name || '';\nSELECT pg_catalog.pg_sleep(0.5);\n"
    small.write("phases/1.2_index/020_all.forward.sql", slow)
    small.write("phases/1.2_index/020_all.rollback.sql", "-- nothing: the names are the same\n")
    found = critical(dry_run(harness_empty_database, with_limit(small.load(), 0.45)))
    (finding,) = (one for one in found if "020_all" in one.where)  # others: a busy machine
    assert finding.id == "dry-run.lock-held"
    assert "keeps writes to 1,000 rows of public.things waiting" in finding.message


def test_the_lock_of_a_concurrent_step_is_sampled_and_stops_nobody(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    slow = (
        "CREATE FUNCTION public.slow(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE"
        " AS 'SELECT $1 FROM pg_catalog.pg_sleep(0.01)';"
    )
    small.write("baseline/020_slow.sql", slow)
    small.replace(INDEX, "(upper_name, id DESC)\n  WHERE id > 5", "(public.slow(id)) WHERE id < 50")
    small.replace(INDEX, "UNIQUE ", "")
    plan = small.load()
    runner.baseline(harness_empty_database, plan)
    run = dry_run(harness_empty_database, plan)
    step = the_step(run, "1.2/010_index")
    lock = the_lock(step, "public.things", "ShareUpdateExclusiveLock")
    assert 0.1 < lock.seconds < step.seconds
    assert lock.stops == ""
    assert run.verdict == "pass"


@pytest.mark.parametrize("rows", [1, 2000])
def test_what_is_done_to_a_table_of_a_few_rows_is_no_critical_finding(
    harness_empty_database: str, tmp_path: Path, rows: int
) -> None:
    run_sql(
        harness_empty_database,
        f"CREATE TABLE public.t AS SELECT g AS a FROM generate_series(1, {rows}) g",
    )
    plan = plan_of(
        tmp_path,
        "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL;",
        "ALTER TABLE public.t ALTER COLUMN a DROP NOT NULL;",
    )
    run = dry_run(harness_empty_database, load(plan))
    assert [one.id for one in critical(run)] == ["dry-run.scan-under-lock"] * (rows > 1000)
    assert any("1 row only" in one.evidence for one in run.findings) == (rows == 1)
