"""What the way back leaves is named, but for what an irreversible step declares."""

from __future__ import annotations

import pytest

from harness import runner
from harness.plan import Plan
from harness.scenario.dry_run import dry_run
from tests.harness.support.dry_run import added, critical, told
from tests.harness.support.runner import SmallPlan, run_sql


def test_a_way_back_that_leaves_something_is_named(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = added(small, "CREATE TABLE public.forgotten (id bigint);")
    run = dry_run(harness_empty_database, plan)
    (finding,) = critical(run)
    assert finding.id == "dry-run.way-back"
    assert "table public.forgotten" in finding.evidence


SET_IN_A_BLOCK = """DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET work_mem = %L', current_database(), '8MB'); END $$;"""


@pytest.mark.parametrize(
    ("rollback", "differences"),
    [
        ("", ("database, setting work_mem: not set, then 8MB",)),
        (SET_IN_A_BLOCK.replace("SET work_mem = %L", "RESET work_mem"), ()),
    ],
    ids=["left", "reset"],
)
def test_a_setting_of_the_database_that_no_clone_carries_is_seen(
    small: SmallPlan, harness_empty_database: str, rollback: str, differences: tuple[str, ...]
) -> None:
    run = dry_run(harness_empty_database, added(small, SET_IN_A_BLOCK, rollback))
    assert run.copy is not None
    assert run.copy.elsewhere
    assert run.evidence.differences == differences
    named = [one.evidence for one in run.findings if one.id == "dry-run.way-back"]
    assert named == list(differences)
    assert run.document().way_back.equal == (not differences)


def test_from_a_partly_migrated_database_the_way_back_is_unknown(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = small.load()
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    run = dry_run(harness_empty_database, plan)
    forward = [one.id for one in run.evidence.steps if one.direction == "forward"]
    assert forward == ["1.1/020_fill", "1.2/010_index"]
    assert told(run) == ["dry-run.way-back-unknown"]
    assert run.verdict == "unknown"
    assert runner.status(harness_empty_database, plan).state == "partial"


def irreversible(small: SmallPlan, *, also: str = "") -> Plan:
    """A label that stays, and what another step leaves besides."""
    small.write(
        "phases/1.2_index/020_label.forward.sql", "ALTER TYPE public.mood ADD VALUE 'glad';"
    )
    small.write(
        "phases/1.2_index/020_label.rollback.sql",
        "-- irreversible: Postgres takes no label away\n-- stays: label glad of type public.mood\n",
    )
    small.write("phases/1.2_index/030_more.forward.sql", f"SELECT 1;{also}")
    small.write("phases/1.2_index/030_more.rollback.sql", "-- nothing: it only looks\n")
    return small.load()


def test_what_an_irreversible_step_leaves_is_reported_and_judged_forward(
    small: SmallPlan, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TYPE public.mood AS ENUM ('sad')")
    run = dry_run(harness_empty_database, irreversible(small))
    assert run.verdict == "pass"
    (finding,) = [one for one in run.findings if one.id == "dry-run.irreversible"]
    assert (finding.severity, finding.where) == ("info", "1.2/020_label")
    assert "label glad of type public.mood stays" in finding.message
    assert "glad" in finding.evidence
    (told,) = run.document().irreversible
    assert (told.step, told.reason) == ("1.2/020_label", "Postgres takes no label away")


def test_what_another_step_leaves_is_not_excused_by_an_irreversible_one(
    small: SmallPlan, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TYPE public.mood AS ENUM ('sad')")
    run = dry_run(
        harness_empty_database, irreversible(small, also="CREATE TABLE public.odd (a int);")
    )
    assert run.verdict == "fail"
    (finding,) = critical(run)
    assert "public.odd" in finding.evidence
    assert "glad" not in finding.evidence
