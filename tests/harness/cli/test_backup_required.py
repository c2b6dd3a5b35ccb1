"""A plan that requires a backup does not start without one, with an old one, or beside a dump."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.cli.migrate_checks import refuse_without_backup
from harness.core.errors import Refused, UsageError
from harness.plan import Plan, load
from harness.plan.rules import BackupRules
from tests.harness.support.backup import taken
from tests.harness.support.runner import plan_of

STEP = ("ALTER TABLE public.things ADD COLUMN age integer;", "SELECT 1;")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return replace(plan_of(tmp_path / "plan", STEP), backup=BackupRules(required=True))


def test_a_run_does_not_start_without_one(things: str, plan: Plan) -> None:
    with pytest.raises(Refused, match=r"requires a backup .*harness backup --to DIR"):
        refuse_without_backup(things, plan, None, None)
    with pytest.raises(Refused, match="requires a backup"):
        refuse_without_backup(things, plan, None, "  ")


def test_a_waiver_an_optional_backup_and_a_begun_run_go_on(things: str, plan: Plan) -> None:
    refuse_without_backup(things, plan, None, "the night's snapshot of the disk")
    refuse_without_backup(things, replace(plan, backup=BackupRules()), None, None)
    with pytest.raises(Refused, match="requires a backup"):  # what the run's beginning changes
        refuse_without_backup(things, plan, None, None)
    assert runner.migrate(things, plan).state == "migrated"
    refuse_without_backup(things, plan, None, None)


def test_an_old_backup_and_a_dump_at_work_are_refused(
    things: str, plan: Plan, tmp_path: Path
) -> None:
    directory = taken(things, tmp_path / "backup")
    refuse_without_backup(things, plan, directory, None)
    strict = replace(plan, backup=BackupRules(required=True, max_age=0.001))
    with pytest.raises(Refused, match="old, and the plan allows"):
        refuse_without_backup(things, strict, directory, None)
    with (
        psycopg.connect(things, application_name="pg_dump"),
        pytest.raises(Refused, match="a dump of this database is at work"),
    ):
        refuse_without_backup(things, plan, directory, None)


@pytest.mark.parametrize("wrong", ["required = 1", 'max_age = "0s"', "often = true"])
def test_a_wrong_setting_is_named_with_its_line(tmp_path: Path, wrong: str) -> None:
    path = plan_of(tmp_path, STEP).path
    path.write_text(f"{path.read_text()}[backup]\n{wrong}\n")
    with pytest.raises(UsageError, match=f"plan.toml:{path.read_text().count(chr(10))}: "):
        load(path)
