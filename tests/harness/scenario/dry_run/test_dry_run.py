"""A dry run tells what the plan would do, and does nothing of it to the named database."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner

from harness import runner
from harness.cli.dry_run import dry_run as command
from harness.core.errors import Refused
from harness.database import admin, fingerprint, witness
from harness.plan import Plan
from harness.runner import Event
from harness.scenario.dry_run import dry_run, scratch
from harness.scenario.dry_run.words import lines
from tests.harness.support.dry_run import COLUMN, added, critical, told
from tests.harness.support.runner import SmallPlan, ask, open_transaction, run_sql

if TYPE_CHECKING:
    from harness.server import Server

SCRATCH = "SELECT string_agg(datname, ' ') FROM pg_database WHERE starts_with(datname, %s)"


def left_over(server: Server) -> str | None:
    """Scratch copies of this process that are still there."""
    mine = scratch.COPIES.prefix + "_" + str(os.getpid())
    with admin.connection(server.dsn()) as conn:
        row: Any = conn.execute(SCRATCH, [mine]).fetchone()
    return row[0]


@pytest.mark.parametrize("profile", ["clean", "real"])
def test_the_reference_plan_passes_with_nothing_above_info(
    harness_plan: Plan,
    harness_template: Callable[..., str],
    harness_clone: Callable[[str], str],
    profile: str,
) -> None:
    dsn = harness_clone(harness_template(rows=300, profile=profile))
    run = dry_run(dsn, harness_plan)
    assert [one for one in run.findings if one.severity != "info"] == []
    assert run.verdict == "pass"
    assert run.evidence.differences == ()
    forward = [one.id for one in run.evidence.steps if one.direction == "forward"]
    assert forward == [step.id for step in harness_plan.steps]
    assert [one.id for one in run.evidence.steps[len(forward) :]] == forward[::-1]


def test_the_named_database_is_not_touched(
    small: SmallPlan, harness_empty_database: str, harness_server: Server
) -> None:
    before = (
        fingerprint.take(harness_empty_database),
        witness.dump(harness_empty_database, exclude_schemas=()),
    )
    run = dry_run(harness_empty_database, small.load())
    after = (
        fingerprint.take(harness_empty_database),
        witness.dump(harness_empty_database, exclude_schemas=()),
    )
    assert before == after
    assert run.copy is not None
    assert run.copy.how == "template"
    assert left_over(harness_server) is None


def test_a_person_reads_the_verdict_first_and_last_and_not_every_step(
    harness_plan: Plan, harness_template: Callable[..., str], harness_clone: Callable[[str], str]
) -> None:
    document = dry_run(harness_clone(harness_template(rows=300)), harness_plan).document()
    short, whole = list(lines(document)), list(lines(document, verbose=True))
    assert len(short) < 50 < len(whole)
    assert short[0].startswith("dry run: pass")
    assert short[-1].startswith("dry run: pass")


def test_where_somebody_is_connected_a_dump_is_restored_instead(
    small: SmallPlan, harness_empty_database: str, harness_server: Server
) -> None:
    with open_transaction(harness_empty_database, "SELECT 1"):
        run = dry_run(harness_empty_database, small.load())
    assert run.copy is not None
    assert run.copy.how == "dump"
    assert run.copy.passed_over == ("template: other sessions are connected to it",)
    assert run.verdict == "pass"
    assert left_over(harness_server) is None


def test_a_plan_that_changes_roles_is_tried_on_a_server_of_its_own(
    small: SmallPlan, harness_empty_database: str
) -> None:
    role = admin.unique_name("dry")
    plan = added(small, f"CREATE ROLE {role};", f"DROP ROLE {role};")
    run = dry_run(harness_empty_database, plan)
    assert run.copy is not None
    assert run.copy.how == "elsewhere"
    assert f"{COLUMN}:5 changes what all databases" in run.copy.passed_over[0]
    assert told(run) == ["dry-run.other-server"]
    assert run.verdict == "pass"
    assert ask(harness_empty_database, "SELECT to_regrole(%s)", role) is None


def test_a_role_that_may_not_create_databases_is_told_so(
    small: SmallPlan, harness_empty_database: str
) -> None:
    role = admin.unique_name("dry")
    run_sql(harness_empty_database, f"CREATE ROLE {role} LOGIN PASSWORD 'secret-word'")
    try:
        run_sql(harness_empty_database, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        theirs = psycopg.conninfo.make_conninfo(
            harness_empty_database, user=role, password="secret-word"
        )
        with pytest.raises(Refused, match="may not create databases") as refusal:
            dry_run(theirs, small.load(), how="dump")
        assert "secret-word" not in str(refusal.value)
    finally:
        run_sql(harness_empty_database, f"DROP OWNED BY {role}")
        run_sql(harness_empty_database, f"DROP ROLE {role}")


def test_the_copy_is_dropped_however_the_dry_run_ends(
    small: SmallPlan, harness_empty_database: str, harness_server: Server
) -> None:
    def interrupt(event: Event) -> None:
        if event.kind == "batch":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dry_run(harness_empty_database, small.load(), on_event=interrupt)
    assert left_over(harness_server) is None


def test_the_copy_of_a_killed_dry_run_is_dropped_by_the_next(
    small: SmallPlan, harness_empty_database: str, harness_server: Server
) -> None:
    dead = admin.unique_name(scratch.COPIES.prefix)
    admin.create(harness_server.dsn(), dead)
    with admin.connection(harness_server.dsn()) as conn:
        conn.execute(f"COMMENT ON DATABASE {dead} IS '{scratch.COPIES.mark}'")
    dry_run(harness_empty_database, small.load())
    assert not admin.exists(harness_server.dsn(), dead)


def test_a_foreign_database_fails_and_nothing_runs(
    small: SmallPlan, harness_empty_database: str
) -> None:
    run_sql(
        harness_empty_database, "DROP TABLE public.things; CREATE TABLE public.other (id bigint)"
    )
    run = dry_run(harness_empty_database, small.load())
    assert [one.id for one in critical(run)] == ["dry-run.foreign"]
    assert run.evidence.steps == ()
    assert run.verdict == "fail"


def test_the_command_prints_one_document_saves_it_and_compares_it(
    small: SmallPlan, harness_empty_database: str, tmp_path: Path
) -> None:
    named = ["--dsn", harness_empty_database, "--plan", str(small.root / "plan.toml")]
    saved = str(tmp_path / "dry.json")
    result = CliRunner().invoke(command, [*named, "--json", "--save", saved])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    document = json.loads(result.stdout)
    assert {"verdict", "findings", "estimate_seconds", "steps"} <= document.keys()
    assert json.loads(Path(saved).read_text()) == document
    text = CliRunner().invoke(command, named)
    assert text.stdout.startswith("dry run: pass, on a copy of")
    assert "access exclusive on public.things: reads and writes wait at most" in text.stdout
    runner.migrate(harness_empty_database, small.load())
    result = CliRunner().invoke(command, [*named, "--json", "--compare", saved])
    assert json.loads(result.stdout)["verdict"] in ("pass", "fail")
    assert result.exit_code in (0, 1)


def test_the_command_fails_when_the_plan_does(
    small: SmallPlan, harness_empty_database: str
) -> None:
    added(small, "SELECT 1 / 0;")
    named = ["--dsn", harness_empty_database, "--plan", str(small.root / "plan.toml")]
    result = CliRunner().invoke(command, named)
    assert result.exit_code == 1
    assert f"{COLUMN}:5: division by zero (SQLSTATE 22012)" in result.stdout
