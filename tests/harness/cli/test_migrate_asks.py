"""migrate asks this very database: validate before it starts, verify when it is done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from harness.cli import cli
from harness.core.errors import Refused, UsageError
from harness.plan import Plan
from tests.harness.support.backup import taken
from tests.harness.support.runner import ask, run_sql

ROWS = 60
FIRST = "1.1/010_support"
NO_STAGE = """
alter table public.deals alter column stage drop not null;
update public.deals set stage = null where id = 3
"""
Clone = Callable[[str], str]
Templates = Callable[..., str]


@pytest.fixture
def small(harness_clone: Clone, harness_template: Templates) -> str:
    return harness_clone(harness_template(rows=ROWS))


@pytest.fixture
def edited(harness_plan: Plan, tmp_path: Path) -> Path:
    """A copy of the plan to spoil."""
    shutil.copytree(harness_plan.root, tmp_path / "sql")
    return tmp_path / "sql"


def migrate(dsn: str, *arguments: str, status: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["migrate", "--dsn", dsn, "--json", *arguments])
    if isinstance(result.exception, Exception) and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def begun(dsn: str) -> bool:
    return bool(ask(dsn, "select to_regnamespace('migration_control') is not null"))


# -- before


def test_rows_that_do_not_pass_are_refused_before_anything_is_written(small: str) -> None:
    run_sql(small, NO_STAGE)
    with pytest.raises(Refused, match=r"validation .* fail: deals\.required.*--waive-validation"):
        migrate(small)
    assert not begun(small)


def test_a_trigger_that_would_fire_is_refused_too(small: str) -> None:
    run_sql(
        small,
        "create function public.touch() returns trigger language plpgsql as"
        " 'begin new.updated_at := now(); return new; end';"
        "create trigger touch before update on public.deals for each row"
        " execute function public.touch()",
    )
    with pytest.raises(Refused, match=r"preflight\.triggers: .* trigger touch on public\.deals"):
        migrate(small)
    assert not begun(small)


def test_what_cannot_be_judged_is_refused_too(small: str) -> None:
    with psycopg.connect(small) as blocker:
        blocker.execute("lock table public.tags in access exclusive mode")
        with pytest.raises(Refused, match="validation of this database says unknown"):
            migrate(small)
    assert not begun(small)


def test_a_waiver_is_recorded_with_what_it_waives(small: str) -> None:
    run_sql(small, NO_STAGE)
    told = migrate(small, "--until", FIRST, "--waive-validation", "known since May")
    assert (told["validate"]["verdict"], told["validate"]["waived"]) == ("fail", "known since May")
    reason = ask(small, "select reason from migration_control.run")
    assert reason.startswith("validation waived: known since May (fail: deals.required")


def test_a_waiver_wants_a_reason(small: str) -> None:
    with pytest.raises(UsageError, match="--waive-validation"):
        migrate(small, "--waive-validation", " ")


def test_what_was_begun_is_not_asked_again(small: str) -> None:
    told = migrate(small, "--until", FIRST)
    assert told["validate"] == {"verdict": "pass", "waived": None, "objections": []}
    run_sql(small, NO_STAGE)
    assert "validate" not in migrate(small, "--until", "1.1/020_enums")


def test_a_database_without_rows_may_start(harness_baseline: str) -> None:
    assert migrate(harness_baseline, "--until", FIRST)["validate"]["verdict"] == "pass"


def test_a_plan_that_does_not_ask_is_not_asked(small: str, edited: Path) -> None:
    toml = edited / "plan.toml"
    toml.write_text(toml.read_text().replace("before = true", "before = false"))
    run_sql(small, NO_STAGE)
    told = migrate(small, "--until", FIRST, "--plan", str(toml))
    assert "validate" not in told


@pytest.mark.parametrize("place", ["validate", "verify"])
def test_checks_that_cannot_be_read_are_refused_first(small: str, edited: Path, place: str) -> None:
    (edited / "checks" / place / "bad.sql").write_text("select 1")
    with pytest.raises(UsageError, match=r"bad\.sql"):
        migrate(small, "--plan", str(edited / "plan.toml"))
    assert not begun(small)


# -- after


def test_without_a_source_it_ends_with_what_could_be_looked_at(small: str) -> None:
    told = migrate(small)
    assert (told["state"], told["verify"]["verdict"]) == ("migrated", "unknown")
    assert [one for one in told["verify"]["findings"] if one["severity"] == "critical"] == []
    assert all("--source" in one["next"] for one in told["verify"]["unknowns"])
    assert "verify" not in migrate(small)  # nothing was done, so nothing is looked at


def test_with_a_backup_every_row_is_compared(small: str, tmp_path: Path) -> None:
    directory = taken(small, tmp_path / "backup")
    told = migrate(small, "--backup", str(directory))
    assert (told["verify"]["verdict"], told["verify"]["source"]) == ("pass", "given")
    assert ask(small, "select reason from migration_control.run") == f"backup: {directory}"


def test_rows_that_the_plan_spoils_fail_it_and_it_stays_migrated(
    small: str, edited: Path, tmp_path: Path
) -> None:
    step = edited / "phases/1.1_foundation/080_contacts_backfill.forward.sql"
    text = step.read_text()
    assert "set company_id_backup" in text
    step.write_text(
        text.replace(
            "set company_id_backup", "set first_name = upper(first_name), company_id_backup"
        )
    )
    directory = taken(small, tmp_path / "backup")
    plan = ["--plan", str(edited / "plan.toml")]
    told = migrate(small, *plan, "--backup", str(directory), status=1)
    assert (told["state"], told["verify"]["verdict"]) == ("migrated", "fail")
    assert "verify.rows.contacts" in {one["id"] for one in told["verify"]["findings"]}
    assert CliRunner().invoke(cli, ["status", "--dsn", small, *plan]).exit_code == 0


def test_a_backup_of_other_rows_is_refused(small: str, tmp_path: Path) -> None:
    directory = taken(small, tmp_path / "backup")
    run_sql(small, "update public.tags set color = 'x' where id = 1")
    with pytest.raises(Refused, match=r"changed since the backup was taken: .*public\.tags"):
        migrate(small, "--backup", str(directory))
    assert not begun(small)


def test_a_backup_of_another_database_is_refused(
    small: str, harness_clone: Clone, harness_template: Templates, tmp_path: Path
) -> None:
    directory = taken(harness_clone(harness_template(rows=ROWS)), tmp_path / "backup")
    with pytest.raises(Refused, match="the backup is of database"):
        migrate(small, "--backup", str(directory))
    assert not begun(small)
