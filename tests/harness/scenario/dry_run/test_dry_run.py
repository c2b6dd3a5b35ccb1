"""A dry run tells what the plan would do, and does nothing of it to the named database."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import pytest
from click.testing import CliRunner

from harness import runner
from harness.cli.dry_run import dry_run as command
from harness.core.errors import Refused
from harness.core.finding import Finding
from harness.database import admin, fingerprint, witness
from harness.plan import Plan, load
from harness.runner import Event
from harness.scenario.dry_run import DryRun, dry_run, estimate_error, scratch
from harness.scenario.dry_run.model import LockSeen, StepSeen
from harness.scenario.dry_run.words import lines
from tests.harness.support.cases import plan_of
from tests.harness.support.runner import SmallPlan, ask, open_transaction, run_sql

if TYPE_CHECKING:
    from harness.server import Server

COLUMN = "phases/1.1_fill/010_column.forward.sql"
BACK = "phases/1.1_fill/010_column.rollback.sql"
INDEX = "phases/1.2_index/010_index.forward.sql"
SCRATCH = "SELECT string_agg(datname, ' ') FROM pg_database WHERE starts_with(datname, %s)"


@pytest.fixture
def small(tmp_path: Path, harness_empty_database: str) -> SmallPlan:
    """A small plan whose baseline is in the database."""
    found = SmallPlan(tmp_path)
    runner.baseline(harness_empty_database, found.load())
    return found


def added(small: SmallPlan, forward: str, rollback: str = "") -> Plan:
    """The plan with a mistake in its first step, and its way back."""
    for name, text in ((COLUMN, forward), (BACK, rollback)):
        path = small.root / name
        path.write_text(f"{path.read_text()}{text}\n")
    return small.load()


def with_limit(plan: Plan, seconds: float) -> Plan:
    return replace(plan, dry_run=replace(plan.dry_run, max_lock=seconds))


def critical(run: DryRun) -> list[Finding]:
    return [finding for finding in run.findings if finding.severity == "critical"]


def told(run: DryRun) -> list[str]:
    """The ids of its findings, but for what other tests do to the server meanwhile."""
    return [one.id for one in run.findings if one.id != "dry-run.server-changed"]


def the_step(run: DryRun, step: str, direction: str = "forward") -> StepSeen:
    found = (one for one in run.evidence.steps if (one.id, one.direction) == (step, direction))
    return next(found)


def the_lock(seen: StepSeen, relation: str, mode: str) -> LockSeen:
    return next(one for one in seen.locks if (one.relation, one.mode) == (relation, mode))


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
    asleep, finding = sorted(critical(run), key=lambda one: one.id, reverse=True)
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
    (finding,) = critical(dry_run(harness_empty_database, with_limit(small.load(), 0.45)))
    assert finding.id == "dry-run.lock-held"
    assert "keeps writes to 1,000 rows of public.things waiting" in finding.message


def test_a_way_back_that_leaves_something_is_named(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = added(small, "CREATE TABLE public.forgotten (id bigint);")
    run = dry_run(harness_empty_database, plan)
    (finding,) = critical(run)
    assert finding.id == "dry-run.way-back"
    assert "table public.forgotten" in finding.evidence


def test_the_lock_of_a_concurrent_step_is_sampled_and_stops_nobody(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    slow = (
        "CREATE FUNCTION public.slow(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE"
        " AS 'SELECT $1 FROM pg_catalog.pg_sleep(0.005)';"
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


def test_rows_wal_and_temporary_files_are_counted_to_their_step(
    small: SmallPlan, harness_empty_database: str
) -> None:
    small.replace(COLUMN, "-- summary: a column and a table\n", "-- set: work_mem=64kB\n")
    sort = (
        "SELECT count(*) FROM (SELECT g FROM pg_catalog.generate_series(1, 90000) g ORDER BY -g) x;"
    )
    run = dry_run(harness_empty_database, added(small, sort))
    column, fill = the_step(run, "1.1/010_column"), the_step(run, "1.1/020_fill")
    assert (column.rows, fill.rows) == (1, 1000)
    assert column.temp_bytes > 500_000
    assert fill.temp_bytes == 0
    assert fill.wal_bytes > 100_000 > column.wal_bytes > 1000
    assert [one.runs for one in fill.statements] == [3]
    assert the_lock(fill, "public.things", "RowExclusiveLock").rows_changed == 400


def test_the_wal_of_neighbours_is_not_counted(
    small: SmallPlan,
    harness_empty_database: str,
    harness_server: Server,
    harness_clone: Callable[[str], str],
) -> None:
    noise = admin.unique_name("harness_noise")
    admin.create(harness_server.dsn(), noise)
    written = "CREATE TABLE public.n AS SELECT g, repeat('x', 500) FROM generate_series(1, 9000) g"
    run_sql(harness_server.dsn(noise), written)

    def neighbour(event: Event) -> None:
        if event.kind == "batch":
            run_sql(harness_server.dsn(noise), "UPDATE public.n SET g = g + 1")

    done = threading.Event()

    def restless() -> None:
        with admin.connect(harness_server.dsn(noise)) as conn:
            while not done.is_set():
                conn.execute("UPDATE public.n SET g = g + 1 WHERE g < 900")

    try:
        quiet = the_step(dry_run(harness_empty_database, small.load()), "1.1/020_fill").wal_bytes
        run = dry_run(harness_empty_database, small.load(), on_event=neighbour)
        assert abs(the_step(run, "1.1/020_fill").wal_bytes - quiet) < 400_000  # his: some MB
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(restless)
            run = dry_run(harness_empty_database, small.load())
            done.set()
            writing.result()
        # A span of the log that is a look's own has his records in it too: never less than 0.
        assert abs(the_step(run, "1.1/020_fill").wal_bytes - quiet) < quiet / 2
        assert quiet > 100_000
    finally:
        done.set()
        admin.drop(harness_server.dsn(), noise)


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


def test_a_person_reads_the_verdict_first_and_last_and_not_every_step(
    harness_plan: Plan, harness_template: Callable[..., str], harness_clone: Callable[[str], str]
) -> None:
    document = dry_run(harness_clone(harness_template(rows=300)), harness_plan).document()
    short, whole = list(lines(document)), list(lines(document, verbose=True))
    assert len(short) < 50 < len(whole)
    assert short[0].startswith("dry run: pass")
    assert short[-1].startswith("dry run: pass")


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


def test_the_estimate_is_compared_with_the_run_that_follows(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = added(small, "SELECT pg_catalog.pg_sleep(2);")
    document = dry_run(harness_empty_database, plan).document()
    with pytest.raises(Refused, match="holds no run"):
        estimate_error(harness_empty_database, document)
    runner.migrate(harness_empty_database, plan)
    found = estimate_error(harness_empty_database, document)
    assert (found.verdict, found.why) == ("pass", "")
    assert found.error is not None
    assert found.error < 0.5
    thrice = msgspec.structs.replace(
        document, estimate_seconds=3 * (document.estimate_seconds or 0)
    )
    assert estimate_error(harness_empty_database, thrice).verdict == "fail"
    plan_then = msgspec.structs.replace(document.plan, hash="another")
    other = msgspec.structs.replace(document, plan=plan_then)
    assert estimate_error(harness_empty_database, other).verdict == "unknown"


def test_the_estimate_of_an_interrupted_run_is_unknown(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = small.load()
    document = dry_run(harness_empty_database, plan).document()
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    assert "not finished" in estimate_error(harness_empty_database, document).why
    runner.migrate(harness_empty_database, plan)
    assert "interrupted" in estimate_error(harness_empty_database, document).why


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
