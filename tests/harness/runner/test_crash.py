"""Killed anywhere, a runner is taken up where it was; no work is lost, none is done twice."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from harness import runner
from harness.core.errors import AnotherRunnerError, Refused
from harness.core.poll import wait_until
from harness.database import admin
from harness.plan import Plan
from harness.runner.outcome import Event, RunOutcome
from tests.harness.support.runner import (
    WAIT,
    ask,
    child,
    contents,
    open_transaction,
    prepared,
    prepared_to_fill,
    run_sql,
    until_waiting,
)

if TYPE_CHECKING:
    from harness.server import Server

INDEX = "phases/1.2_index/010_index.forward.sql"
FINISHED = (
    "SELECT bool_and(i.indisvalid) FROM pg_index i WHERE i.indexrelid ="
    " to_regclass('public.things_upper')"
)


class Copies:
    """Databases copied from one that is ready, dropped at the end."""

    def __init__(self, server_dsn: str, source: str) -> None:
        self._server, self._source = server_dsn, admin.dbname(source)
        self.made: list[str] = []

    def one(self) -> str:
        """A new copy."""
        name = admin.unique_name("harness_kill")
        admin.create(self._server, name, template=self._source)
        self.made.append(name)
        return admin.with_dbname(self._server, name)

    def drop(self) -> None:
        """Drop the copies."""
        for name in self.made:
            admin.drop(self._server, name)
        self.made.clear()


@pytest.mark.parametrize("verb", ["migrate", "rollback"])
def test_killed_before_every_message_and_taken_up(
    tmp_path: Path, harness_empty_database: str, harness_server: Server, verb: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    clean = contents(harness_empty_database)
    if verb == "rollback":
        runner.migrate(harness_empty_database, plan)
    copies = Copies(harness_server.dsn(), harness_empty_database)
    golden = copies.one()
    getattr(runner, verb)(golden, plan)
    expected = contents(golden)
    try:
        point = 0
        while _killed(verb, copies, plan, point := point + 1):
            dsn = copies.made[-1]
            dsn = admin.with_dbname(harness_server.dsn(), dsn)
            getattr(runner, verb)(dsn, plan)
            assert contents(dsn) == expected, f"{verb} killed before message {point}"
            if point % 4 == 0:
                runner.rollback(dsn, plan)
                assert contents(dsn) == clean, f"{verb} killed before {point}, rolled back"
            copies.drop()
        assert point > 20
    finally:
        copies.drop()


def _killed(verb: str, copies: Copies, plan: Plan, point: int) -> bool:
    """Run on a new copy and die before message `point`; False when it ended before."""
    with child(verb, copies.one(), plan, die_at=point) as run:
        status = run.ended()
        assert status in (0, -signal.SIGKILL)
        return status != 0


def test_killed_within_a_batch_keeps_the_batches_before(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    with (
        open_transaction(
            harness_empty_database, "SELECT FROM public.things WHERE id = 900 FOR UPDATE"
        ),
        child("migrate", harness_empty_database, plan) as run,
    ):
        until_waiting(harness_empty_database, "UPDATE public.things%")
        run.kill()
    assert ask(harness_empty_database, "SELECT count(upper_name) FROM public.things") == 800
    resumed = runner.migrate(harness_empty_database, plan)
    assert (resumed.resumed, resumed.rows) == (True, 200)
    twice = "SELECT count(*) FROM public.things WHERE upper_name <> upper(name)"
    assert ask(harness_empty_database, twice) == 0


@pytest.mark.parametrize("blocker_ends", ["before", "after"])
def test_killed_while_an_index_is_built(
    tmp_path: Path, harness_empty_database: str, blocker_ends: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1")
    writer = "UPDATE public.things SET name = name WHERE id = 1"
    with open_transaction(harness_empty_database, writer) as blocker:
        with child("migrate", harness_empty_database, plan) as run:
            until_waiting(harness_empty_database, "CREATE UNIQUE INDEX CONCURRENTLY%")
            run.kill()
        if blocker_ends == "before":
            blocker.rollback()
            assert runner.migrate(harness_empty_database, plan).state == "migrated"
        else:
            with child("migrate", harness_empty_database, plan) as second:
                assert second.event("resumed")
                until_waiting(harness_empty_database, "%INDEX CONCURRENTLY%")
                blocker.rollback()
                assert isinstance(second.outcome(), RunOutcome)
    assert ask(harness_empty_database, FINISHED) is True
    assert runner.status(harness_empty_database, plan).state == "migrated"


def test_killed_while_an_index_is_built_then_rolled_back(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    before = contents(harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1")
    with (
        open_transaction(harness_empty_database, "DELETE FROM public.things WHERE id = 1"),
        child("migrate", harness_empty_database, plan) as run,
    ):
        until_waiting(harness_empty_database, "CREATE UNIQUE INDEX CONCURRENTLY%")
        run.kill()
    runner.rollback(harness_empty_database, plan)
    assert contents(harness_empty_database) == before


def with_intent(dsn: str, plan: Plan) -> None:
    """The state in which a runner died after it had sent its concurrent statement."""
    from harness.runner import ledger

    with psycopg.connect(dsn, autocommit=True) as conn:
        known = ledger.read(conn)
        run = replace(known.runs[0], state="running")
        row = replace(known.steps[1]["1.2/010_index"], state="intent")
        conn.execute(
            "UPDATE migration_control.step SET state = 'intent', seal = %s WHERE position = 3",
            [row.seal()],
        )
        conn.execute(
            "UPDATE migration_control.run SET steps_done = 2, state = 'running',"
            " completed_at = NULL, seal = %s",
            [run.seal()],
        )


def test_an_index_the_dead_runners_backend_finished_is_recognised(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    made = ask(harness_empty_database, "SELECT 'public.things_upper'::regclass::oid")
    with_intent(harness_empty_database, plan)
    assert runner.migrate(harness_empty_database, plan).steps_run == ["1.2/010_index"]
    assert ask(harness_empty_database, "SELECT 'public.things_upper'::regclass::oid") == made


def test_an_invalid_index_is_rebuilt_not_believed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    run_sql(
        harness_empty_database,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.things_upper'::regclass",
    )
    made = ask(harness_empty_database, "SELECT 'public.things_upper'::regclass::oid")
    with_intent(harness_empty_database, plan)
    runner.migrate(harness_empty_database, plan)
    assert ask(harness_empty_database, FINISHED) is True
    assert ask(harness_empty_database, "SELECT 'public.things_upper'::regclass::oid") != made


@pytest.mark.parametrize(
    "planted",
    [
        "CREATE INDEX things_upper ON public.things (upper_name, id DESC) WHERE id > 5",
        "CREATE UNIQUE INDEX things_upper ON public.things (upper_name, id) WHERE id > 5",
        "CREATE UNIQUE INDEX things_upper ON public.things (upper_name, id DESC) WHERE id > 6",
        "CREATE UNIQUE INDEX things_upper ON public.kinds (id)",
        "CREATE VIEW public.things_upper AS SELECT 1",
    ],
)
def test_a_finished_index_with_another_definition_is_refused(
    tmp_path: Path, harness_empty_database: str, planted: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan)
    with_intent(harness_empty_database, plan)
    run_sql(harness_empty_database, f"DROP INDEX public.things_upper; {planted}")
    with pytest.raises(Refused, match=r"public\.things_upper is there, but"):
        runner.migrate(harness_empty_database, plan)


# One runner at a time.


def test_a_second_runner_is_turned_away_and_told_by_whom(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    with (
        open_transaction(
            harness_empty_database, "SELECT FROM public.things WHERE id = 900 FOR UPDATE"
        ),
        child("migrate", harness_empty_database, plan) as first,
    ):
        until_waiting(harness_empty_database, "UPDATE public.things%")
        for call in (runner.migrate, runner.rollback, runner.cleanup):
            with pytest.raises(AnotherRunnerError, match=r"server process \d+, since 20"):
                call(harness_empty_database, plan)
        assert runner.status(harness_empty_database, plan).state == "partial"
        first.kill()


def test_of_many_runners_at_once_one_wins(tmp_path: Path, harness_empty_database: str) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    writer = "UPDATE public.things SET name = name WHERE id = 1"
    with (
        open_transaction(harness_empty_database, writer) as blocker,
        child("migrate", harness_empty_database, plan) as one,
        child("migrate", harness_empty_database, plan) as two,
        child("migrate", harness_empty_database, plan) as three,
    ):
        runs = [one, two, three]
        wait_until(lambda: sum(run.process.is_alive() for run in runs) == 1, WAIT, "losers")
        blocker.rollback()
        told = [run.outcome() for run in runs]
    assert sum(isinstance(one, AnotherRunnerError) for one in told) == 2
    assert sum(isinstance(one, RunOutcome) for one in told) == 1
    wrong = "SELECT count(*) FROM public.things WHERE upper_name <> upper(name)"
    assert ask(harness_empty_database, wrong) == 0


def test_a_paused_runner_that_wakes_after_a_takeover_writes_nothing(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    row = "SELECT FROM public.things WHERE id = 900 FOR UPDATE"
    with child("migrate", harness_empty_database, plan) as paused:
        with open_transaction(harness_empty_database, row):
            until_waiting(harness_empty_database, "UPDATE public.things%")
            paused.signal(signal.SIGSTOP)
        took_over = wait_until(lambda: _takeover(harness_empty_database, plan), WAIT, "the lease")
        assert took_over.state == "migrated"
        before, epoch = contents(harness_empty_database), _epoch(harness_empty_database)
        paused.signal(signal.SIGCONT)
        end = paused.outcome()
        assert isinstance(end, AnotherRunnerError), end
    assert contents(harness_empty_database) == before
    assert _epoch(harness_empty_database) == epoch
    wrong = "SELECT count(*) FROM public.things WHERE upper_name <> upper(name)"
    assert ask(harness_empty_database, wrong) == 0


def _takeover(dsn: str, plan: Plan) -> RunOutcome | None:
    try:
        return runner.migrate(dsn, plan)
    except AnotherRunnerError:
        return None


def _epoch(dsn: str) -> Any:
    return ask(dsn, "SELECT array_agg((id, epoch, state, steps_done)) FROM migration_control.run")


def test_the_fence_stops_a_runner_whose_epoch_has_passed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)

    def usurp(event: Event) -> None:
        if event.kind == "step_done":
            run_sql(harness_empty_database, "UPDATE migration_control.run SET epoch = epoch + 1")

    with pytest.raises(AnotherRunnerError, match="taken this run over"):
        runner.migrate(harness_empty_database, plan, on_event=usurp)
    assert ask(harness_empty_database, "SELECT count(upper_name) FROM public.things") == 0


def test_the_orphaned_backend_of_a_dead_runner_is_ended_first(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared(tmp_path, harness_empty_database)
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    told = list[Event]()
    orphan = psycopg.connect(harness_empty_database)
    orphan.execute(
        "UPDATE migration_control.run SET pid = pg_backend_pid(), backend_start ="
        " (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"
    )
    orphan.commit()
    orphan.execute("UPDATE public.things SET name = name || '!'")
    runner.migrate(harness_empty_database, plan, on_event=told.append)
    with pytest.raises(psycopg.OperationalError):
        orphan.commit()
    assert "takeover" in [event.kind for event in told]
    assert (
        ask(harness_empty_database, "SELECT count(*) FROM public.things WHERE name LIKE '%!'") == 0
    )
