"""A runner killed anywhere is taken up where it was, and the end is as if nothing had happened."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from subprocess import DEVNULL
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.plan import Plan, Step
from harness.poll import wait_until
from harness.report import evidence
from harness.runner import Event, migrate, rollback, status

from .journey import Fingerprint, backends, copied, differences, impatient, state, step_before
from .killed import Action, Mark, Stand, killed_at, runner
from .support import HOSTILE, SMALL, connected

if TYPE_CHECKING:
    from harness.server import Server

TemplateFactory = Callable[..., str]
CloneFactory = Callable[[str], str]
CHECKPOINTS = ("batch", "step_done")
MOMENTS = ("step_started", "batch")
BUILDING = "select pid from pg_stat_progress_create_index where datname = current_database()"
BATCH = 60  # rows: the larger backfills of the small seed take several of these


@pytest.fixture(scope="module")
def golden(target: str) -> Fingerprint:
    """The identity of the database that was migrated without interruption."""
    return state(target)


# Killed at every checkpoint, one after the other.


def test_killed_after_every_checkpoint_and_taken_up_each_time(
    plan: Plan, rows: int, golden: Fingerprint, seeded: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(seeded())
    deaths = _killed_to_the_end("migrate", dsn, impatient(plan, rows // 5), CHECKPOINTS)
    batches = {step for kind, step, _ in deaths if kind == "batch"}
    steps = {step for kind, step, _ in deaths if kind == "step_done"}
    assert batches == set(_batched(plan))  # the last batch and the end of its step are one commit
    assert steps >= set(_ids(plan)) - batches
    assert differences(golden, state(dsn)) == []
    assert migrate(dsn, plan).steps_run == []
    assert status(dsn, plan).state == "migrated"
    evidence.count("resume", "steps killed after and taken up", steps | batches, _ids(plan))


def test_killed_after_every_batch_of_hostile_rows(
    plan: Plan, seeded: TemplateFactory, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(seeded(rows=HOSTILE, profile="hostile"))
    deaths = _killed_to_the_end("migrate", dsn, impatient(plan, HOSTILE // 5), ("batch",))
    assert len(deaths) > len(_batched(plan))
    assert differences(state(clone(migrated(rows=HOSTILE, profile="hostile"))), state(dsn)) == []


def test_rollback_killed_after_every_checkpoint_and_taken_up_each_time(
    plan: Plan, source: str, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(migrated())
    deaths = _killed_to_the_end("rollback", dsn, impatient(plan), CHECKPOINTS)
    died = {str(step) for _, step, _ in deaths}
    assert died == set(_ids(plan))
    assert differences(state(source), state(dsn)) == []
    assert status(dsn, plan).state == "rolled-back"
    evidence.count("resume", "steps of the way back killed after and taken up", died, _ids(plan))


# Killed once, then left alone.


def test_killed_once_and_taken_up_to_the_end(
    plan: Plan, golden: Fingerprint, seeded: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(seeded())
    number = len(plan.steps) // 2
    stand = Stand(("step_done",), step=plan.steps[number].id)
    assert killed_at("migrate", dsn, plan, stand) is not None
    outcome = migrate(dsn, plan)
    assert outcome.resumed
    assert outcome.steps_skipped == _ids(plan)[: number + 1]
    assert differences(golden, state(dsn)) == []


def test_killed_once_before_any_batch_or_index(
    plan: Plan, pg_server: Server, seeded: TemplateFactory, clone: CloneFactory
) -> None:
    """Each of these moments for itself: a copy is killed there and taken up to the step's end."""
    quick = impatient(plan, BATCH)
    dsn = clone(seeded(rows=SMALL))
    found: list[str] = []
    killed: list[str] = []
    for step in _of_kind(plan, "batch") + _of_kind(plan, "concurrent")[:2]:
        migrate(dsn, quick, until=step_before(plan, step.id))
        with copied(pg_server, dsn) as before:
            seen: list[Event] = []
            migrate(dsn, quick, until=step.id, on_event=seen.append)
            moments = [(e.kind, e.step, e.rows) for e in seen if e.kind in MOMENTS]
            after = state(dsn)
            for number, moment in enumerate(moments):
                stand = Stand(MOMENTS, skip=frozenset(moments[:number]))
                with copied(pg_server, before) as copy:
                    assert killed_at("migrate", copy, quick, stand, step.id) == moment
                    migrate(copy, quick, until=step.id)
                    found += [f"{moment}: {line}" for line in differences(after, state(copy))]
                    killed.append(f"{step.id} {moment}")
    assert found == []
    evidence.count("resume", "batches and indexes killed before", killed, killed)


def test_command_line_killed_and_called_again(
    plan: Plan, seeded: TemplateFactory, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(seeded(rows=SMALL))
    command = [sys.executable, "-m", "harness", "migrate", "--dsn", dsn, "--plan", str(plan.path)]
    with connected(dsn) as watcher:
        with subprocess.Popen(command, stdout=DEVNULL, stderr=DEVNULL) as process:
            wait_until(lambda: _steps_done(watcher) > 3 or process.poll() is not None, 60, "steps")
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert 3 < _steps_done(watcher) < len(plan.steps)
    subprocess.run(command, check=True, capture_output=True)
    assert differences(state(clone(migrated(rows=SMALL))), state(dsn)) == []


# Killed with a statement in flight.


def test_killed_inside_a_batch(
    plan: Plan, seeded: TemplateFactory, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    quick = impatient(plan, batch_rows=BATCH)
    dsn = clone(seeded(rows=SMALL))
    for step in _of_kind(plan, "batch"):
        migrate(dsn, quick, until=step_before(plan, step.id))
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
    assert differences(state(clone(migrated(rows=SMALL))), state(dsn)) == []


@pytest.mark.parametrize("orphan_ends", [True, False], ids=["finished", "terminated"])
def test_killed_inside_a_concurrent_index(
    orphan_ends: bool,
    plan: Plan,
    migrated: TemplateFactory,
    clone: CloneFactory,
) -> None:
    step = _of_kind(plan, "concurrent")[0]
    quick = impatient(plan)
    dsn = clone(migrated(rows=SMALL, until=step_before(plan, step.id)))
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
    whole = clone(migrated(rows=SMALL, until=step.id))
    assert differences(state(whole), state(dsn)) == []


def test_killed_inside_the_rollback_of_a_step(
    plan: Plan, seeded: TemplateFactory, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(migrated(rows=SMALL))
    with connected(dsn) as watcher, psycopg.connect(dsn) as blocker:
        blocker.execute("select 1 from public.deals limit 1")  # holds the view and its table
        with runner("rollback", dsn, impatient(plan)) as run:
            wait_until(lambda: backends(watcher, "opportunit"), 30, "the rollback to wait")
            run.kill()
        blocker.rollback()
    assert status(dsn, plan).state == "rolling-back"
    rollback(dsn, impatient(plan))
    assert differences(state(clone(seeded(rows=SMALL))), state(dsn)) == []


# There and back.


def test_migrated_again_after_a_rollback_is_migrated_once(
    plan: Plan, golden: Fingerprint, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(migrated())
    rollback(dsn, plan)
    outcome = migrate(dsn, plan)
    assert outcome.steps_run == [step.id for step in plan.steps]
    assert differences(golden, state(dsn)) == []


def test_killed_forward_and_rolled_back_from_there(
    plan: Plan, pg_server: Server, seeded: TemplateFactory, clone: CloneFactory
) -> None:
    untouched = state(clone(seeded(rows=SMALL)))
    quick = impatient(plan, batch_rows=BATCH)
    for share in (0.2, 0.5, 0.8):
        dsn = clone(seeded(rows=SMALL))
        step = plan.steps[int(len(plan.steps) * share)].id
        stand = Stand(MOMENTS, step=step)
        assert killed_at("migrate", dsn, quick, stand) is not None
        rollback(dsn, quick)
        assert differences(untouched, state(dsn)) == []


# Planted defects.


def test_a_row_backfilled_twice_is_seen(
    golden: Fingerprint, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    dsn = clone(migrated())
    with connected(dsn) as conn:
        conn.execute(
            "insert into public.interaction_participants (activity_id, contact_id, created_at)"
            " select activity_id, contact_id, created_at from public.interaction_participants"
            " order by id limit 1"
        )
    assert any("interaction_participants" in line for line in differences(golden, state(dsn)))


def test_a_batch_left_out_is_seen(
    plan: Plan, seeded: TemplateFactory, migrated: TemplateFactory, clone: CloneFactory
) -> None:
    """A ledger that claims more than was done is not made good by resuming: the state differs."""
    step = _of_kind(plan, "batch")[-1]
    dsn = clone(migrated(rows=SMALL, until=step_before(plan, step.id)))
    quick = impatient(plan, batch_rows=BATCH)
    assert killed_at("migrate", dsn, quick, Stand(("batch",))) is not None
    with connected(dsn) as conn:
        conn.execute(
            "delete from public.activities where id = (select min(id) from public.activities)"
        )
    migrate(dsn, quick)
    assert differences(state(clone(migrated(rows=SMALL))), state(dsn)) != []


def _killed_to_the_end(action: Action, dsn: str, plan: Plan, kinds: tuple[str, ...]) -> list[Mark]:
    """Kill each runner at the first such event it reaches, until one comes to the end."""
    deaths: list[Mark] = []
    while (reached := killed_at(action, dsn, plan, Stand(kinds))) is not None:
        deaths.append(reached)
        assert len(deaths) < 1000, "the runner makes no progress"
    return deaths


def _ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def _batched(plan: Plan) -> list[str]:
    """Backfills that surely have rows to fill."""
    return [step.id for step in _of_kind(plan, "batch") if "backfill" in step.id]


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
