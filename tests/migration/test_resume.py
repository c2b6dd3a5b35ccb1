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

from harness.core.poll import wait_until
from harness.plan import Plan, Step
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
def golden(harness_target: str) -> Fingerprint:
    """The identity of the database that was migrated without interruption."""
    return state(harness_target)


# Killed at every checkpoint, one after the other.


def test_killed_after_every_checkpoint_and_taken_up_each_time(
    harness_plan: Plan,
    harness_rows: int,
    golden: Fingerprint,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_template())
    deaths = _killed_to_the_end(
        "migrate", dsn, impatient(harness_plan, harness_rows // 5), CHECKPOINTS
    )
    batches = {step for kind, step, _ in deaths if kind == "batch"}
    steps = {step for kind, step, _ in deaths if kind == "step_done"}
    assert batches == set(
        _batched(harness_plan)
    )  # the last batch and the end of its step are one commit
    assert steps >= set(_ids(harness_plan)) - batches
    assert differences(golden, state(dsn)) == []
    assert migrate(dsn, harness_plan).steps_run == []
    assert status(dsn, harness_plan).state == "migrated"
    evidence.count("resume", "steps killed after and taken up", steps | batches, _ids(harness_plan))


def test_killed_after_every_batch_of_hostile_rows(
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_template(rows=HOSTILE, profile="hostile"))
    deaths = _killed_to_the_end("migrate", dsn, impatient(harness_plan, HOSTILE // 5), ("batch",))
    assert len(deaths) > len(_batched(harness_plan))
    assert (
        differences(
            state(harness_clone(harness_migrated_template(rows=HOSTILE, profile="hostile"))),
            state(dsn),
        )
        == []
    )


def test_rollback_killed_after_every_checkpoint_and_taken_up_each_time(
    harness_plan: Plan,
    harness_source: str,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_migrated_template())
    deaths = _killed_to_the_end("rollback", dsn, impatient(harness_plan), CHECKPOINTS)
    died = {str(step) for _, step, _ in deaths}
    assert died == set(_ids(harness_plan))
    assert differences(state(harness_source), state(dsn)) == []
    assert status(dsn, harness_plan).state == "rolled-back"
    evidence.count(
        "resume", "steps of the way back killed after and taken up", died, _ids(harness_plan)
    )


# Killed once, then left alone.


def test_killed_once_and_taken_up_to_the_end(
    harness_plan: Plan,
    golden: Fingerprint,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_template())
    number = len(harness_plan.steps) // 2
    stand = Stand(("step_done",), step=harness_plan.steps[number].id)
    assert killed_at("migrate", dsn, harness_plan, stand) is not None
    outcome = migrate(dsn, harness_plan)
    assert outcome.resumed
    assert outcome.steps_skipped == _ids(harness_plan)[: number + 1]
    assert differences(golden, state(dsn)) == []


def test_killed_once_before_any_batch_or_index(
    harness_plan: Plan,
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    """Each of these moments for itself: a copy is killed there and taken up to the step's end."""
    quick = impatient(harness_plan, BATCH)
    dsn = harness_clone(harness_template(rows=SMALL))
    found: list[str] = []
    killed: list[str] = []
    for step in _of_kind(harness_plan, "batch") + _of_kind(harness_plan, "concurrent")[:2]:
        migrate(dsn, quick, until=step_before(harness_plan, step.id))
        with copied(harness_server, dsn) as before:
            seen: list[Event] = []
            migrate(dsn, quick, until=step.id, on_event=seen.append)
            moments = [(e.kind, e.step, e.rows) for e in seen if e.kind in MOMENTS]
            after = state(dsn)
            for number, moment in enumerate(moments):
                stand = Stand(MOMENTS, skip=frozenset(moments[:number]))
                with copied(harness_server, before) as copy:
                    assert killed_at("migrate", copy, quick, stand, step.id) == moment
                    migrate(copy, quick, until=step.id)
                    found += [f"{moment}: {line}" for line in differences(after, state(copy))]
                    killed.append(f"{step.id} {moment}")
    assert found == []
    evidence.count("resume", "batches and indexes killed before", killed, killed)


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


# There and back.


def test_migrated_again_after_a_rollback_is_migrated_once(
    harness_plan: Plan,
    golden: Fingerprint,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_migrated_template())
    rollback(dsn, harness_plan)
    outcome = migrate(dsn, harness_plan)
    assert outcome.steps_run == [step.id for step in harness_plan.steps]
    assert differences(golden, state(dsn)) == []


def test_killed_forward_and_rolled_back_from_there(
    harness_plan: Plan,
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    untouched = state(harness_clone(harness_template(rows=SMALL)))
    quick = impatient(harness_plan, batch_rows=BATCH)
    for share in (0.2, 0.5, 0.8):
        dsn = harness_clone(harness_template(rows=SMALL))
        step = harness_plan.steps[int(len(harness_plan.steps) * share)].id
        stand = Stand(MOMENTS, step=step)
        assert killed_at("migrate", dsn, quick, stand) is not None
        rollback(dsn, quick)
        assert differences(untouched, state(dsn)) == []


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
    assert killed_at("migrate", dsn, quick, Stand(("batch",))) is not None
    with connected(dsn) as conn:
        conn.execute(
            "delete from public.activities where id = (select min(id) from public.activities)"
        )
    migrate(dsn, quick)
    assert (
        differences(state(harness_clone(harness_migrated_template(rows=SMALL))), state(dsn)) != []
    )


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
