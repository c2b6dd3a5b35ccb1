"""Cases of the engine, as a person would run them: setup by psql, then commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.core.errors import Refused
from harness.core.poll import wait_until
from harness.plan import load
from tests.harness.support.cases import CASES, psql, told
from tests.harness.support.runner import ask, child, open_transaction, run_sql, until_waiting


def case(name: str, dsn: str) -> tuple[str, ...]:
    """Set a case up; the options of its commands."""
    psql(dsn, CASES / name / "setup.sql")
    return "--plan", str(CASES / name / "plan/plan.toml"), "--dsn", dsn


def test_a_setting_of_one_step_is_not_there_in_the_next(harness_empty_database: str) -> None:
    options = case("session-setting-across-steps", harness_empty_database)
    rows = "SELECT string_agg(v, ' ') FROM public.t"
    assert told("dry-run", *options)[0] == 0
    assert told("migrate", *options)[0] == 0
    undisturbed = ask(harness_empty_database, rows)
    assert told("rollback", *options)[0] == 0
    assert told("migrate", "--until", "1/010_a", *options)[0] == 0
    status, document = told("migrate", *options)
    assert (status, document["resumed"]) == (0, True)
    assert ask(harness_empty_database, rows) == undisturbed == "LOST"


def test_a_step_that_takes_another_role_is_committed(harness_empty_database: str) -> None:
    options = case("set-local-role", harness_empty_database)
    try:
        assert told("migrate", *options)[0] == 0
        owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'public.n'::regclass"
        assert ask(harness_empty_database, owner) == "owner_r"
        assert told("rollback", *options)[0] == 0
    finally:
        run_sql(harness_empty_database, "DROP OWNED BY owner_r; DROP ROLE owner_r")


def test_rows_without_a_key_are_not_left_out_silently(harness_empty_database: str) -> None:
    options = case("batch-key-null", harness_empty_database)
    with pytest.raises(Refused, match=r"'id' of public\.t is not declared NOT NULL"):
        told("migrate", *options)
    status, document = told("dry-run", *options)
    assert (status, document["verdict"]) == (1, "fail")
    assert "is not declared NOT NULL" in str(document)
    assert ask(harness_empty_database, "SELECT count(done) FROM public.t") == 0
    assert ask(harness_empty_database, "SELECT to_regnamespace('migration_control')") is None


def test_a_table_may_have_a_percent_sign_in_its_name(harness_empty_database: str) -> None:
    options = case("batch-percent", harness_empty_database)
    status, document = told("migrate", *options)
    assert (status, document["rows"]) == (0, 2)
    assert ask(harness_empty_database, 'SELECT bool_and(done) FROM public."share %"') is True


@pytest.mark.parametrize("text", ["(id) where (t.v is not null)", "(public.label(t))"])
def test_a_finished_index_is_resumed_over_whatever_its_definition_names(
    tmp_path: Path, harness_empty_database: str, text: str
) -> None:
    """The runner is killed when its index is valid, and before its step is done."""
    case("cic-resume-qualified-column", harness_empty_database)
    shutil.copytree(CASES / "cic-resume-qualified-column/plan", tmp_path / "plan")
    forward = tmp_path / "plan/phases/1_one/010_ix.forward.sql"
    forward.write_text(f"-- kind: concurrent\n\ncreate index concurrently ix on public.t {text};\n")
    plan = load(tmp_path / "plan/plan.toml")
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.ix')"
    with (
        open_transaction(harness_empty_database, "INSERT INTO public.t (v) VALUES ('a')") as writer,
        child("migrate", harness_empty_database, plan) as run,
        psycopg.connect(harness_empty_database) as idle,
    ):
        until_waiting(harness_empty_database, "create index concurrently%")
        idle.execute("LOCK TABLE migration_control.step IN EXCLUSIVE MODE")
        writer.rollback()
        wait_until(lambda: ask(harness_empty_database, valid), 60, "the index to be valid")
        run.kill()
    made = ask(harness_empty_database, "SELECT 'public.ix'::regclass::oid")
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert ask(harness_empty_database, "SELECT 'public.ix'::regclass::oid") == made
    assert runner.rollback(harness_empty_database, plan).state == "rolled-back"
