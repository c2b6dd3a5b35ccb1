"""One runner after another: the lock is free when one ends, nothing of the last is missed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from harness import runner
from harness.core.errors import Stopped
from harness.core.poll import wait_until
from harness.plan import Plan
from harness.runner import backward, claim, forward, ledger, lock, renewal
from harness.runner import ledger_statements as statements
from harness.runner.connection import connect
from harness.runner.ledger import Checkpoint
from harness.runner.outcome import Event
from harness.server import Server
from tests.harness.support.runner import WAIT, ask, plan_of, prepared_to_fill

FILL = "1.1/020_fill"
SESSIONS = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"
)


def held(dsn: str) -> bool:
    """Whether a runner's lock is held now."""
    with connect(dsn, "test") as conn:
        return lock.is_held(conn)


def slow_to_die(dsn: str, plan: Plan, told: list[int]) -> Callable[[Event], None]:
    """Stops the server process that holds the lock, as soon as the run is completed."""

    def listen(event: Event) -> None:
        if event.kind == "completed":
            told.append(ask(dsn, SESSIONS, "harness lock"))
            os.kill(told[0], signal.SIGSTOP)

    return listen


def quiet(root: Path) -> Plan:
    """A plan of one step; nothing is asked on the lock's connection, so it may be stopped."""
    plan = plan_of(root, ("SELECT 1;", "SELECT 1;"))
    return replace(plan, runner=replace(plan.runner, heartbeat=0.0))


@pytest.fixture
def signalled(harness_server: Server) -> None:
    """Skips where the server's processes are out of reach."""
    if not harness_server.capabilities.local_files:
        pytest.skip("the server's processes are elsewhere")


def test_the_lock_is_free_when_a_run_returns(
    tmp_path: Path, harness_empty_database: str, signalled: None
) -> None:
    dsn, plan = harness_empty_database, quiet(tmp_path)
    stopped: list[int] = []

    def wake() -> None:
        wait_until(lambda: stopped, WAIT, "the end of the run")
        wait_until(lambda: ask(dsn, SESSIONS, "harness runner") is None, WAIT, "its hanging up")
        os.kill(stopped[0], signal.SIGCONT)

    waker = threading.Thread(target=wake)
    waker.start()
    try:
        runner.migrate(dsn, plan, on_event=slow_to_die(dsn, plan, stopped))
        assert not held(dsn)
    finally:
        waker.join()


def test_planted_a_runner_that_does_not_wait_leaves_the_lock_behind(
    tmp_path: Path, harness_empty_database: str, signalled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, plan = harness_empty_database, quiet(tmp_path)
    stopped: list[int] = []
    # as a wait that has come to its bound
    monkeypatch.setattr(renewal, "ENDED_WITHIN", 0.0)
    try:
        runner.migrate(dsn, plan, on_event=slow_to_die(dsn, plan, stopped))
        assert held(dsn)
    finally:
        os.kill(stopped[0], signal.SIGCONT)
    wait_until(lambda: not held(dsn), WAIT, "a free lock")


def half_filled(root: Path, dsn: str) -> Plan:
    """A run that was stopped after the first of three batches."""
    plan = prepared_to_fill(root, dsn)
    seen: list[str] = []
    with pytest.raises(Stopped):
        runner.migrate(
            dsn, plan, on_event=lambda one: seen.append(one.kind), stop=lambda: "batch" in seen
        )
    return plan


class LastRunner:
    """A runner that lost its lock and does not know it; it works once the next has looked."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        with connect(dsn, "test") as conn:
            (self.run,) = ledger.read(conn).runs
        self.let: list[bool] = []

    def work(self) -> bool:
        """Do the next batch; whether the fence let it."""
        with psycopg.connect(self.dsn, autocommit=True) as conn, conn.transaction():
            fence = statements.fence_sql(self.run.id, self.run.epoch)
            if conn.execute(fence).fetchone() is None:
                return False
            row = Checkpoint(
                self.run.id, FILL, 2, "batch", "running", last_key=800, rows=800, batches=2
            )
            conn.execute(
                "UPDATE public.things SET upper_name = coalesce(upper_name, '') || upper(name)"
                " WHERE id > 400 AND id <= 800"
            )
            conn.execute(statements.checkpoint_sql(row))
            return True

    def work_before(self, monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
        """Work once, when the next runner calls this function of its own."""
        before: Callable[..., object] = getattr(module, name)

        def between(*arguments: object, **options: object) -> object:
            if not self.let:
                self.let.append(self.work())
            return before(*arguments, **options)

        monkeypatch.setattr(module, name, between)


def test_what_the_last_runner_commits_after_the_ledger_was_read_is_not_done_twice(
    tmp_path: Path, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, plan = harness_empty_database, half_filled(tmp_path, harness_empty_database)
    last = LastRunner(dsn)
    last.work_before(monkeypatch, forward, "_admit")
    outcome = runner.migrate(dsn, plan)
    assert last.let == [True]
    assert (outcome.state, outcome.rows) == ("migrated", 200)
    twice = "SELECT count(*) FROM public.things WHERE upper_name <> upper(name)"
    assert ask(dsn, twice) == 0
    assert not last.work(), "who was taken over may not write any more"


def test_planted_a_claim_that_looks_at_nothing_does_a_batch_twice(
    tmp_path: Path, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, plan = harness_empty_database, half_filled(tmp_path, harness_empty_database)
    LastRunner(dsn).work_before(monkeypatch, forward, "_admit")
    monkeypatch.setattr(
        claim, "_refuse_moved", lambda session, first, *_: session.lock.execute(first)
    )
    runner.migrate(dsn, plan)
    twice = "SELECT count(*) FROM public.things WHERE upper_name <> upper(name)"
    assert ask(dsn, twice) == 400


@pytest.mark.parametrize("planted", [False, True])
def test_who_is_rolled_back_writes_nothing_any_more(
    tmp_path: Path, harness_empty_database: str, monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    dsn, plan = harness_empty_database, half_filled(tmp_path, harness_empty_database)
    last = LastRunner(dsn)
    last.work_before(monkeypatch, backward, "_refuse")
    if planted:
        monkeypatch.setattr(statements, "shut_out_sql", lambda _: sql.SQL(""))
    late: list[bool] = []

    def listen(event: Event) -> None:
        if event.kind == "run_started":
            late.append(last.work())

    assert runner.rollback(dsn, plan, on_event=listen).state == "rolled-back"
    assert (last.let, late) == ([True], [planted])
