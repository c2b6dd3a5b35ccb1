"""A run is watched from another terminal, and measured, without a write; also when it is dead."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from harness import runner
from harness.cli.main import cli
from harness.core.errors import StepFailed, UsageError
from harness.observe.metrics import exposition
from harness.observe.run_standing import (
    RunStanding,
    StepStanding,
    WaitingSession,
    WorkRate,
    block,
    standing,
)
from harness.runner.control import control
from harness.runner.outcome import Event
from harness.runner.watching import look, watching
from tests.harness.support.runner import (
    SmallPlan,
    ask,
    child,
    open_transaction,
    prepared,
    prepared_to_fill,
    run_sql,
    until_waiting,
)

STEP = StepStanding("1.1/020_fill", "batch", "running", 400, 1000)


def test_a_view_is_taken_while_a_run_waits_for_a_lock(
    tmp_path: Path, harness_empty_database: str
) -> None:
    dsn, plan = harness_empty_database, prepared(tmp_path, harness_empty_database)
    with watching(dsn) as conn:
        assert look(conn, plan) == RunStanding("clean")
        with (
            open_transaction(dsn, "LOCK TABLE public.things IN SHARE MODE"),
            child("migrate", dsn, plan) as run,
        ):
            run.event("step_started")
            until_waiting(dsn, "ALTER TABLE%")
            views = [look(conn, plan) for _ in range(20)]  # a short try may just have ended
            waiting = next((view for view in views if view.waits), None)
        assert waiting is not None
        assert (waiting.state, waiting.at_work, waiting.planned) == ("partial", True, 3)
        assert waiting.waits[0].blockers.endswith("postgres (idle in transaction)")


def test_a_view_of_a_dead_and_of_a_paused_run(tmp_path: Path, harness_empty_database: str) -> None:
    dsn, plan = harness_empty_database, prepared_to_fill(tmp_path, harness_empty_database)
    control(dsn, "pause", {}, 600.0)
    control(dsn, "set", {"batch_rows": "7"}, 600.0)
    with watching(dsn) as conn:
        with child("migrate", dsn, plan) as run:
            run.event("paused")
            paused = look(conn, plan)
            run.kill()
        assert (paused.at_work, standing(paused)) == (True, "held back")
        assert paused.held.startswith("paused by postgres (")
        assert paused.settings[0].startswith("batch_rows = 7 until ")
        control(dsn, "resume", {})
        runner.migrate(dsn, plan)
        done = look(conn, plan)
        assert (done.state, done.completed, done.done, done.rows) == ("migrated", True, 3, 1001)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("CREATE TABLE public.written (n int)")


def test_watching_writes_nothing(tmp_path: Path, harness_empty_database: str) -> None:
    dsn, plan = harness_empty_database, prepared_to_fill(tmp_path, harness_empty_database)
    rows = "SELECT count(*) + sum(xmin::text::bigint) FROM migration_control.%s"
    tables = ("run", "step", "event", "control", "plan_file", "ledger")
    before = [ask(dsn, rows % table) for table in tables]
    with watching(dsn) as conn:
        conn.execute("SELECT 1")
        for _ in range(3):
            look(conn, plan)
        used = conn.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()
    assert used == (None,)
    assert [ask(dsn, rows % table) for table in tables] == before


def test_the_command_ends_with_the_run_and_over_a_dead_one(
    tmp_path: Path, harness_empty_database: str
) -> None:
    dsn = harness_empty_database
    plan = prepared_to_fill(tmp_path, dsn)
    words = ["watch", "--dsn", dsn, "--plan", str(tmp_path / "plan.toml"), "--every", "10ms"]
    dead = CliRunner().invoke(cli, words)
    assert dead.exception is None
    assert dead.stdout.splitlines()[0] == "state: partial; no runner is at work"
    ended: list[str] = []

    def listen(event: Event) -> None:
        if event.kind == "batch" and not ended:
            thread.start()
            ended.append("started")

    thread = threading.Thread(
        target=lambda: ended.append(CliRunner().invoke(cli, words).stdout), daemon=True
    )
    runner.migrate(dsn, plan, on_event=listen)
    thread.join(60)
    assert "state: migrated; completed" in ended[-1]


def test_a_step_that_failed_is_told_until_it_is_done(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write(
        "phases/1.1_fill/020_fill.forward.sql",
        "-- kind: batch\n-- table: public.things\n-- key: id\n\n"
        "UPDATE public.things SET name = NULL WHERE id > %(after)s AND id <= %(upto)s;\n",
    )
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed):
        runner.migrate(harness_empty_database, small.load())
    with watching(harness_empty_database) as conn:
        (words,) = look(conn, small.load()).errors
    assert words.startswith("1.1/020_fill: ")
    assert "SQLSTATE 23502" in words


def test_another_plans_run_and_a_foreign_ledger_are_shown(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = SmallPlan(tmp_path).load()
    run_sql(harness_empty_database, "CREATE SCHEMA migration_control")
    with watching(harness_empty_database) as conn:
        view = look(conn, plan)
    assert view.state == "foreign"
    assert "error: schema migration_control is there" in block(view, WorkRate())[1]


@pytest.mark.parametrize("width", [10, 40, 79, 200])
def test_a_block_fits_its_terminal(width: int) -> None:
    view = RunStanding(
        state="partial",
        run=1,
        direction="forward",
        at_work=True,
        done=1,
        planned=99,
        phases=tuple((f"{n}.1", 1, 3) for n in range(30)),
        step=STEP,
        held="x\x1b[2J" * 50,
        waits=(WaitingSession(1, 2.0, "process 2"),) * 9,
        errors=("e" * 300,) * 9,
        settings=("batch_rows = 1",) * 9,
    )
    lines = block(view, WorkRate(), width)
    assert len(lines) <= 24
    assert all(len(line) <= width and line.isprintable() for line in lines)


def test_a_rate_counts_neither_a_pause_nor_what_came_before() -> None:
    rate = WorkRate()
    rate.at("s", 0.0, 900_000, working=True)  # what an earlier runner did
    assert rate.rate() is None
    rate.at("s", 2.0, 900_200, working=True)
    rate.at("s", 3602.0, 900_200, working=False)  # an hour's pause
    assert rate.rate() == 100.0
    assert rate.left(StepStanding("s", "batch", "running", 900_200, 900_300)) == 1.0
    assert rate.left(StepStanding("s", "batch", "running", 900_200, 0)) is None
    rate.at("t", 3603.0, 0, working=True)
    assert rate.rate() is None


def test_a_file_of_metrics_holds_figures_and_no_secret(
    tmp_path: Path, harness_empty_database: str
) -> None:
    dsn, file = harness_empty_database, tmp_path / "harness.prom"
    prepared_to_fill(tmp_path, dsn)
    words = ["metrics", "--dsn", dsn, "--plan", str(tmp_path / "plan.toml")]
    assert CliRunner().invoke(cli, [*words, "--file", str(file)]).exception is None
    text = file.read_text()
    assert 'harness_run_steps_done{direction="forward",run="1"} 1.0\n' in text
    assert 'harness_state{state="partial"} 1.0\n' in text
    assert "postgresql" not in text
    for wrong in ([], ["--file", "a", "--listen", "1"], ["--listen", "1", "--every", "1s"]):
        assert isinstance(CliRunner().invoke(cli, [*words, *wrong]).exception, UsageError)
    away = CliRunner().invoke(cli, [*words, "--file", str(tmp_path / "no" / "file")])
    assert isinstance(away.exception, UsageError)


def test_every_metric_has_help_and_type_and_labels_are_quoted() -> None:
    view = RunStanding(
        "partial", 1, "forward", step=StepStanding('a"b\\c\nd', "batch", "running", 1, 2)
    )
    lines = exposition(view).splitlines()
    assert 'step="a\\"b\\\\c\\nd"' in next(
        one for one in lines if one.startswith("harness_step_rows{")
    )
    names = {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")}
    for name in names:
        assert any(line.startswith(f"# HELP {name} ") for line in lines)
        assert f"# TYPE {name} gauge" in lines
    assert exposition(None).splitlines()[-1] == "harness_up 0.0"


@pytest.fixture
def scraped(tmp_path: Path, harness_empty_database: str) -> Iterator[str]:
    """The address of figures that are answered for the length of a test."""
    from harness.cli import metrics as command

    plan = prepared(tmp_path, harness_empty_database)
    ended = threading.Event()
    found: list[str] = []
    told = threading.Event()

    def tell(address: str) -> None:
        found.append(address)
        told.set()

    thread = threading.Thread(
        target=command.serve,
        args=(0, lambda: command.scraped(harness_empty_database, plan), ended.is_set, tell),
    )
    thread.start()
    assert told.wait(60)
    yield found[0]
    ended.set()
    thread.join()


def test_a_scrape_is_answered_on_this_machine_alone(scraped: str) -> None:
    assert scraped.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(scraped, timeout=60) as answer:  # noqa: S310 - our own address
        assert 'harness_state{state="clean"} 1.0' in answer.read().decode()
