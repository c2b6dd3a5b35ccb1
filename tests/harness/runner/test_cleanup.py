"""The way back ends by a clean-up: windows, reasons, and what an irreversible step leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import Refused, UsageError
from tests.harness.support.runner import SmallPlan, ask, prepared, run_sql


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
