"""What passes is tried again: locks, deadlocks, lost connections; a request to stop is heard."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness import runner
from harness.core.errors import StepFailed, Stopped
from harness.plan import RunnerSettings
from harness.runner.backoff import delay, may_retry
from harness.runner.batch_step import Sizer
from harness.runner.outcome import Event, RunOutcome
from tests.harness.support.runner import (
    ROWS,
    SmallPlan,
    ask,
    child,
    contents,
    open_transaction,
    prepared,
    prepared_to_fill,
    run_sql,
    until_waiting,
)
from tests.harness.support.wire import forwarded

COLUMN = "phases/1.1_fill/010_column.forward.sql"
FILL = "phases/1.1_fill/020_fill.forward.sql"
WRONG = "SELECT count(*) FROM public.things WHERE upper_name IS DISTINCT FROM upper(name)"


def kinds(told: list[Event]) -> list[str]:
    return [event.kind for event in told]


def test_a_lock_held_for_a_while_is_waited_for_by_trying_again(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    told = list[Event]()
    with open_transaction(
        harness_empty_database, "LOCK TABLE public.things IN SHARE MODE"
    ) as blocker:

        def listen(event: Event) -> None:
            told.append(event)
            if kinds(told).count("retry") == 2:
                blocker.rollback()

        assert runner.migrate(harness_empty_database, plan, on_event=listen).state == "migrated"
    assert [event.step for event in told if event.kind == "retry"] == ["1.1/010_column"] * 2
    assert "55P03" in next(event.message for event in told if event.kind == "retry")
    assert (
        ask(harness_empty_database, "SELECT attempts FROM migration_control.step ORDER BY 1 DESC")
        == 3
    )


def test_a_deadlock_runs_the_whole_transaction_again(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write(
        COLUMN,
        "-- lock_timeout: 20s\n-- set: deadlock_timeout=2s\n"
        "CREATE TABLE public.kinds (id bigint);\n"
        "LOCK TABLE public.things IN ACCESS EXCLUSIVE MODE;\n"
        "SELECT pg_catalog.pg_advisory_xact_lock(77);\n"
        "ALTER TABLE public.things ADD COLUMN upper_name text;\n",
    )
    plan = small.load()
    runner.baseline(harness_empty_database, plan)
    told = list[Event]()
    with psycopg.connect(harness_empty_database) as other:
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("SELECT pg_advisory_xact_lock(77)")
        cross = threading.Thread(target=_then_read, args=(harness_empty_database, other))
        cross.start()
        outcome = runner.migrate(harness_empty_database, plan, on_event=told.append)
        cross.join()
    assert outcome.state == "migrated"
    assert "40P01" in next(event.message for event in told if event.kind == "retry")


def _then_read(dsn: str, other: psycopg.Connection[Any]) -> None:
    """Once the runner waits for our lock, wait for its table: the runner is the one to give way."""
    until_waiting(dsn, "SELECT pg_catalog.pg_advisory_xact_lock(77)")
    other.execute("SELECT count(*) FROM public.things")
    other.rollback()


def test_a_serialization_failure_runs_the_whole_transaction_again(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write("baseline/020_tries.sql", "CREATE SEQUENCE public.tries;")
    small.replace(
        COLUMN,
        "CREATE TABLE public.kinds (",
        "DO $$ BEGIN IF nextval('public.tries') < 3 THEN RAISE SQLSTATE '40001'; END IF; END $$;"
        "CREATE TABLE public.kinds (",
    )
    runner.baseline(harness_empty_database, small.load())
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"
    assert ask(harness_empty_database, "SELECT last_value FROM public.tries") == 3


SLOW = """CASE WHEN (SELECT count(*) FROM public.things WHERE id > %(after)s AND id <= %(upto)s)
  > 250 THEN 5 ELSE 0 END"""  # by the size of the batch, so that no busy machine decides


def test_a_batch_that_takes_too_long_is_halved_and_no_key_is_skipped(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(FILL, "-- key: id", "-- key: id\n-- statement_timeout: 500ms")
    small.replace(FILL, "upper(name)\n", f"upper(name || left(pg_sleep({SLOW})::text, 0))\n")
    runner.baseline(harness_empty_database, small.load())
    told = list[Event]()
    runner.migrate(harness_empty_database, small.load(), until="1.1", on_event=told.append)
    assert "retry" in kinds(told)
    assert kinds(told).count("batch") > ROWS // 400
    assert ask(harness_empty_database, WRONG) == 0


def test_a_batch_that_cannot_be_made_smaller_fails_in_the_end(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(FILL, "-- key: id", "-- key: id\n-- batch: 2\n-- statement_timeout: 50ms")
    small.replace(FILL, "upper(name)\n", "upper(name || left(pg_sleep(0.2)::text, 0))\n")
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(StepFailed, match="57014, after 3 attempts"):
        runner.migrate(harness_empty_database, small.load())


@pytest.mark.parametrize("moment", ["step_started", "batch", "step_done"])
@pytest.mark.parametrize("verb", ["migrate", "rollback"])
def test_a_connection_cut_by_the_server_is_made_again(
    tmp_path: Path, harness_empty_database: str, moment: str, verb: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    before = contents(harness_empty_database)
    if verb == "rollback":
        runner.migrate(harness_empty_database, plan)
    told = list[Event]()

    def cut(event: Event) -> None:
        told.append(event)
        if event.kind == moment and "reconnecting" not in kinds(told):
            run_sql(
                harness_empty_database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'harness%'",
            )

    outcome = getattr(runner, verb)(harness_empty_database, plan, on_event=cut)
    fired = "reconnecting" in kinds(told)
    assert fired or (verb, moment) == ("rollback", "batch"), "the fault did not fire"
    assert sorted(outcome.steps_run) == [step.id for step in plan.steps]
    assert outcome.resumed is False
    if verb == "migrate":
        assert outcome.rows == ROWS + 1
        assert ask(harness_empty_database, WRONG) == 0
    else:
        assert contents(harness_empty_database) == before


def test_a_server_that_drops_every_connection_stops_the_run_midway(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(
        COLUMN, "CREATE TABLE", "SELECT pg_terminate_backend(pg_backend_pid());CREATE TABLE"
    )
    runner.baseline(harness_empty_database, small.load())
    with pytest.raises(Stopped, match=r"the connection was lost.*run the same again"):
        runner.migrate(harness_empty_database, small.load())
    assert runner.status(harness_empty_database, small.load()).state == "partial"


def test_a_stop_is_heard_at_the_next_checkpoint_and_the_next_run_goes_on(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    told = list[Event]()
    with pytest.raises(Stopped, match="stopped on request"):
        runner.migrate(
            harness_empty_database, plan, on_event=told.append, stop=lambda: "batch" in kinds(told)
        )
    assert kinds(told)[-1] == "batch"
    assert ask(harness_empty_database, "SELECT count(upper_name) FROM public.things") == 400
    assert runner.migrate(harness_empty_database, plan).rows == 600
    noted = "SELECT count(*) FROM migration_control.event WHERE kind = 'stopped'"
    assert ask(harness_empty_database, noted) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_after_the_statement_and_a_second_cancels_it(
    tmp_path: Path, harness_empty_database: str, number: signal.Signals
) -> None:
    small = SmallPlan(tmp_path)
    small.replace(FILL, "-- key: id", "-- key: id\n-- lock_timeout: 30s")
    plan = small.load()
    runner.baseline(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    row = "SELECT FROM public.things WHERE id = 900 FOR UPDATE"
    with (
        open_transaction(harness_empty_database, row),
        child("migrate", harness_empty_database, plan) as run,
    ):
        until_waiting(harness_empty_database, "UPDATE public.things%")
        end = run.nagged(number)
        assert isinstance(end, Stopped), end
    assert ask(harness_empty_database, "SELECT count(upper_name) FROM public.things") == 800
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    assert ask(harness_empty_database, WRONG) == 0


def test_a_cancelled_index_build_is_tidied_and_taken_up(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1")
    writer = "UPDATE public.things SET name = name WHERE id = 1"
    with (
        open_transaction(harness_empty_database, writer) as blocker,
        child("migrate", harness_empty_database, plan) as run,
    ):
        pid = until_waiting(harness_empty_database, "CREATE UNIQUE INDEX CONCURRENTLY%")
        assert ask(harness_empty_database, "SELECT pg_cancel_backend(%s)", pid)
        until_waiting(harness_empty_database, "DROP INDEX CONCURRENTLY%")
        blocker.rollback()
        assert run.event("retry").step == "1.2/010_index"
        assert isinstance(run.outcome(), RunOutcome)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.things_upper'::regclass"
    assert ask(harness_empty_database, valid) is True


def test_batches_grow_slowly_shrink_when_slow_and_stay_within_bounds() -> None:
    settings = RunnerSettings(batch_rows=1000, batch_min_rows=100, batch_max_rows=2000)
    sizer = Sizer(settings, None)
    sizer.took(0.01)
    assert sizer.rows == 1251
    for _ in range(9):
        sizer.took(0.01)
    assert sizer.rows == 2000
    sizer.took(settings.batch_target * 2)
    assert sizer.rows == 1500
    while sizer.timed_out():
        pass
    assert sizer.rows == 100


def test_without_adaptation_sizes_are_the_same_whatever_the_clock_says() -> None:
    sizer = Sizer(RunnerSettings(adaptive=False), 700)
    for seconds in (0.0, 99.0, 0.1):
        sizer.took(seconds)
        assert sizer.rows == 700
    assert sizer.timed_out()
    assert sizer.rows == 350
    sizer.took(0.1)
    assert sizer.rows == 438


def test_waits_grow_and_have_jitter_and_a_bound() -> None:
    settings = RunnerSettings(retry_base=0.1, retry_max=1.0, retries=3)
    assert 0.05 <= delay(1, settings) <= 0.1
    assert 0.5 <= delay(50, settings) <= 1.0
    assert len({delay(1, settings) for _ in range(9)}) > 1
    assert may_retry("55P03", 3, settings)
    assert not may_retry("55P03", 4, settings)
    assert not may_retry("57014", 3, settings)
    assert not may_retry("42601", 1, settings)


@pytest.mark.parametrize("moment", ["run_started", "batch"])
def test_a_line_that_falls_silent_is_noticed_and_nothing_is_done_twice(
    tmp_path: Path, harness_empty_database: str, moment: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    told = list[Event]()
    with forwarded(harness_empty_database) as line:

        def fall_silent(event: Event) -> None:
            told.append(event)
            if event.kind == moment and kinds(told).count(moment) == 1:
                line.silence()

        outcome = runner.migrate(line.dsn, plan, on_event=fall_silent)
    assert "reconnecting" in kinds(told)
    assert (outcome.state, outcome.rows) == ("migrated", ROWS + 1)
    assert ask(harness_empty_database, WRONG) == 0


@pytest.mark.parametrize("verb", ["migrate", "rollback"])
def test_a_commit_whose_answer_is_lost_is_settled_by_the_ledger(
    tmp_path: Path, harness_empty_database: str, verb: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    before = contents(harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    after = contents(harness_empty_database)
    fired = 0
    for count in range(1, 30):
        (runner.rollback if verb == "migrate" else runner.migrate)(harness_empty_database, plan)
        with forwarded(harness_empty_database) as line:
            line.cut_unheard(b"COMMIT", count)
            outcome = getattr(runner, verb)(line.dsn, plan)
            fired += line.fired
            assert sorted(outcome.steps_run) == [step.id for step in plan.steps]
            assert contents(harness_empty_database) == (after if verb == "migrate" else before)
            if not line.fired:
                break
    assert fired >= len(plan.steps) + 1, "every step commits, and the start of the run"
    assert not line.fired


@pytest.mark.parametrize(
    ("late", "until"),
    [
        (b"'1.1/020_fill', 2, 'batch'", b"pg_stat_get_activity(w.pid)"),
        (b"harness 1.1/020_fill", b"SET epoch = epoch + 1"),
    ],
    ids=["a commit, when the ledger was read", "a begin, when nobody was at work"],
)
def test_what_arrives_late_of_a_lost_session_is_not_done_twice(
    tmp_path: Path, harness_empty_database: str, late: bytes, until: bytes
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    with forwarded(harness_empty_database) as line:
        line.cut_late(late, 2, until)  # the session of the first one has the name in the ledger
        outcome = runner.migrate(line.dsn, plan)
        assert line.passed_late
    assert (outcome.state, outcome.rows) == ("migrated", ROWS)
    assert ask(harness_empty_database, WRONG) == 0


def test_a_full_disk_stops_the_run_where_it_can_be_taken_up(
    tmp_path: Path, harness_empty_database: str
) -> None:
    small = SmallPlan(tmp_path)
    small.write("baseline/020_disk.sql", "CREATE TABLE public.disk (is_full boolean);")
    small.replace(
        COLUMN,
        "CREATE TABLE public.kinds (",
        "DO $$ BEGIN IF EXISTS (SELECT FROM public.disk) THEN RAISE SQLSTATE '53100'; END IF;"
        " END $$; CREATE TABLE public.kinds (",
    )
    runner.baseline(harness_empty_database, small.load())
    run_sql(harness_empty_database, "INSERT INTO public.disk VALUES (true)")
    with pytest.raises(Stopped, match=r"010_column.forward.sql:2: .*53100.*free space") as stopped:
        runner.migrate(harness_empty_database, small.load())
    assert stopped.value.exit_status == 5
    assert ask(harness_empty_database, "SELECT to_regclass('public.kinds')") is None
    run_sql(harness_empty_database, "DELETE FROM public.disk")
    assert runner.migrate(harness_empty_database, small.load()).state == "migrated"
