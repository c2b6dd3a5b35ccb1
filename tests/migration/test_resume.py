"""A runner killed anywhere is taken up where it was, and the end is as if nothing had happened."""

from __future__ import annotations

import signal
import subprocess
import sys
from subprocess import DEVNULL

import psycopg
import pytest

from harness.core.poll import wait_until
from harness.plan import Plan, Step
from harness.runner import Event, migrate, rollback, status
from harness.suite.journey import (
    Fingerprint,
    backends,
    differences,
    impatient,
    state,
    step_before,
)
from harness.suite.killed import KillPlace, killed_at, runner
from harness.suite.resume import *  # noqa: F403 - the shipped suite; more below
from harness.suite.resume import BATCH, killed_to_the_end
from harness.suite.support import SMALL, CloneFactory, TemplateFactory, connected

from .support import HOSTILE

BUILDING = "select pid from pg_stat_progress_create_index where datname = current_database()"

# Killed at every checkpoint, one after the other.


def test_killed_after_every_batch_of_hostile_rows(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
    harness_filled_steps: set[str],
) -> None:
    dsn = harness_clone(harness_template(rows=HOSTILE, profile="hostile"))
    deaths = killed_to_the_end("migrate", dsn, impatient(harness_plan, HOSTILE // 5), ("batch",))
    assert len(deaths) > len(harness_filled_steps)
    assert (
        differences(
            state(harness_clone(harness_migrated_template(rows=HOSTILE, profile="hostile"))),
            state(dsn),
        )
        == []
    )


# The command line, killed.


def test_command_line_killed_and_called_again(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_template(rows=SMALL))
    command = [
        sys.executable,
        "-m",
        "harness",
        "migrate",
        "--dsn",
        dsn,
        "--plan",
        str(harness_plan.path),
    ]
    with connected(dsn) as watcher:
        with subprocess.Popen(command, stdout=DEVNULL, stderr=DEVNULL) as process:
            wait_until(lambda: _steps_done(watcher) > 3 or process.poll() is not None, 60, "steps")
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert 3 < _steps_done(watcher) < len(harness_plan.steps)
    subprocess.run(command, check=True, capture_output=True)
    assert (
        differences(state(harness_clone(harness_migrated_template(rows=SMALL))), state(dsn)) == []
    )


# Killed with a statement in flight.


def test_killed_inside_a_batch(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    quick = impatient(harness_plan, batch_rows=BATCH)
    dsn = harness_clone(harness_template(rows=SMALL))
    for step in _of_kind(harness_plan, "batch"):
        migrate(dsn, quick, until=step_before(harness_plan, step.id))
        with connected(dsn) as watcher, psycopg.connect(dsn) as blocker:
            if blocker.execute(_locked_row(step)).fetchone() is None:
                continue
            with runner("migrate", dsn, quick, until=step.id) as run:
                orphan = _in_flight(watcher, _first_words(step))
                run.kill()
            assert backends(watcher, _first_words(step)) == orphan, "the statement went on"
            blocker.rollback()
            assert migrate(dsn, quick, until=step.id).steps_run == [step.id]
    migrate(dsn, quick)
    assert (
        differences(state(harness_clone(harness_migrated_template(rows=SMALL))), state(dsn)) == []
    )


@pytest.mark.parametrize("orphan_ends", [True, False], ids=["finished", "terminated"])
def test_killed_inside_a_concurrent_index(
    orphan_ends: bool,
    harness_plan: Plan,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    step = _of_kind(harness_plan, "concurrent")[0]
    quick = impatient(harness_plan)
    dsn = harness_clone(
        harness_migrated_template(rows=SMALL, until=step_before(harness_plan, step.id))
    )
    table = step.forward.statements[0].text.lower().split(" on ")[1].split()[0]
    with connected(dsn) as watcher, psycopg.connect(dsn) as blocker:
        blocker.execute(f"lock table {table} in row exclusive mode")
        with runner("migrate", dsn, quick, until=step.id) as run:
            orphan = _in_flight(watcher, "index concurrently")
            building = watcher.execute(BUILDING).fetchall()
            assert [pid for (pid,) in building] == orphan
            run.kill()
        if orphan_ends:
            blocker.rollback()
            wait_until(lambda: not _alive(watcher, orphan[0]), 30, "the orphan's end")
        else:
            assert _invalid(watcher) != []

        def let_go(event: Event) -> None:
            if event.kind not in ("run_started",):
                blocker.rollback()

        migrate(dsn, quick, until=step.id, on_event=let_go)
        assert _invalid(watcher) == []
    whole = harness_clone(harness_migrated_template(rows=SMALL, until=step.id))
    assert differences(state(whole), state(dsn)) == []


def test_killed_inside_the_rollback_of_a_step(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_migrated_template(rows=SMALL))
    with connected(dsn) as watcher, psycopg.connect(dsn) as blocker:
        blocker.execute("select 1 from public.deals limit 1")  # holds the view and its table
        with runner("rollback", dsn, impatient(harness_plan)) as run:
            wait_until(lambda: backends(watcher, "opportunit"), 30, "the rollback to wait")
            run.kill()
        blocker.rollback()
    assert status(dsn, harness_plan).state == "rolling-back"
    rollback(dsn, impatient(harness_plan))
    assert differences(state(harness_clone(harness_template(rows=SMALL))), state(dsn)) == []


# Planted defects.


def test_a_row_backfilled_twice_is_seen(
    golden: Fingerprint, harness_migrated_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_migrated_template())
    with connected(dsn) as conn:
        conn.execute(
            "insert into public.interaction_participants (activity_id, contact_id, created_at)"
            " select activity_id, contact_id, created_at from public.interaction_participants"
            " order by id limit 1"
        )
    assert any("interaction_participants" in line for line in differences(golden, state(dsn)))


def test_a_batch_left_out_is_seen(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    """A ledger that claims more than was done is not made good by resuming: the state differs."""
    step = _of_kind(harness_plan, "batch")[-1]
    dsn = harness_clone(
        harness_migrated_template(rows=SMALL, until=step_before(harness_plan, step.id))
    )
    quick = impatient(harness_plan, batch_rows=BATCH)
    assert killed_at("migrate", dsn, quick, KillPlace(("batch",))) is not None
    with connected(dsn) as conn:
        conn.execute(
            "delete from public.activities where id = (select min(id) from public.activities)"
        )
    migrate(dsn, quick)
    assert (
        differences(state(harness_clone(harness_migrated_template(rows=SMALL))), state(dsn)) != []
    )


def _of_kind(plan: Plan, kind: str) -> list[Step]:
    return [step for step in plan.steps if step.forward.kind == kind]


def _first_words(step: Step) -> str:
    """How the step's first statement begins, as pg_stat_activity shows it."""
    return step.forward.statements[0].text.strip().lower().split("\n")[0][:40]


def _locked_row(step: Step) -> str:
    """A row lock that the step's first batch must wait for."""
    if step.forward.table == "public.tasks":
        return (
            "select 1 from public.contacts where id = (select contact_id from public.tasks"
            " where done_date is not null order by id limit 1) for update"
        )
    extra = " where company_id is not null" if step.phase != "1.1" else ""
    return f"select 1 from {step.forward.table}{extra} order by id limit 1 for update"


def _in_flight(watcher: psycopg.Connection[tuple[object, ...]], words: str) -> list[int]:
    return wait_until(lambda: backends(watcher, words), 30, f"a backend waiting in {words!r}")


def _steps_done(watcher: psycopg.Connection[tuple[object, ...]]) -> int:
    """How many steps the ledger says are done; none while there is no ledger."""
    if watcher.execute("select to_regclass('migration_control.step')").fetchone() == (None,):
        return 0
    query = "select count(*) from migration_control.step where state = 'done'"
    row = watcher.execute(query).fetchone()
    return int(str(row[0])) if row else 0


def _alive(watcher: psycopg.Connection[tuple[object, ...]], pid: int) -> bool:
    query = "select 1 from pg_catalog.pg_stat_activity where pid = %s"
    return watcher.execute(query, [pid]).fetchone() is not None


def _invalid(watcher: psycopg.Connection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return watcher.execute("select indexrelid from pg_index where not indisvalid").fetchall()
