"""Batches by several workers: every row once, whatever is killed, paused or wrong."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.core.errors import Refused, StepFailed
from harness.core.poll import wait_until
from harness.plan import Plan
from harness.runner import Event, ledger, watching
from harness.runner.batch_cut import borders
from harness.runner.ledger_statements import fence_sql
from harness.runner.turns import Turns
from tests.harness.support import crew
from tests.harness.support.crew import DEFECTS, STEP, CrewDefect, shared_plan, with_settings
from tests.harness.support.runner import WAIT, ask, child, contents, run_sql

DONE = "SELECT count(*) FROM migration_control.batch_range WHERE state = 'done'"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return shared_plan(tmp_path)


def test_two_workers_do_every_row_once_and_forget_the_ranges(
    harness_empty_database: str, plan: Plan
) -> None:
    told: list[Event] = []
    runner.baseline(harness_empty_database, plan)
    done = runner.migrate(harness_empty_database, plan, on_event=told.append)
    assert crew.wrong_rows(harness_empty_database) == []
    assert (done.state, done.rows) == ("migrated", 1001)
    batches = [event for event in told if event.kind == "batch"]
    assert [event.rows for event in batches] == sorted({event.rows for event in batches})
    assert (batches[-1].rows, batches[-1].done) == (1000, 1000)
    row = (
        "SELECT (last_key, rows, batches, object)::text FROM migration_control.step WHERE step = %s"
    )
    assert ask(harness_empty_database, row, STEP) == f"(1000,1000,{len(batches)},)"
    assert ask(harness_empty_database, "SELECT count(*) FROM migration_control.batch_range") == 0


def test_one_worker_goes_on_while_the_other_waits_and_everybody_sees_the_rows(
    harness_empty_database: str, plan: Plan
) -> None:
    crew.ready(harness_empty_database, plan)
    with child("migrate", harness_empty_database, plan, until=STEP) as running:
        with crew.hold_row(harness_empty_database, 1):
            wait_until(lambda: ask(harness_empty_database, DONE) == 15, WAIT, "fifteen ranges")
            with watching.watching(harness_empty_database) as conn:
                seen = watching.look(conn, plan)
        running.outcome()
    assert seen.step is not None
    assert (seen.step.name, seen.step.rows) == (STEP, seen.rows - 1)
    assert 900 < seen.step.rows < 1000
    assert crew.wrong_rows(harness_empty_database) == []


@pytest.mark.parametrize("one", DEFECTS, ids=str)
def test_a_planted_defect_of_a_crew_is_seen_and_the_engine_as_it_is_passes(
    one: CrewDefect, harness_empty_database: str, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as planted:
        for owner, name, value in one.plant():
            planted.setattr(owner, name, value)
        assert one.story(harness_empty_database, plan) != []
    run_sql(
        harness_empty_database,
        "DROP SCHEMA public, migration_control CASCADE; CREATE SCHEMA public",
    )
    assert one.story(harness_empty_database, plan) == []


def test_an_error_of_one_worker_stops_the_others_and_the_run_is_resumed(
    harness_empty_database: str, plan: Plan
) -> None:
    crew.ready(harness_empty_database, plan)
    crew.spoil_row(harness_empty_database, 500)
    with pytest.raises(StepFailed, match="spoilt"):
        runner.migrate(harness_empty_database, plan, until=STEP)
    assert ask(harness_empty_database, DONE) < 15
    run_sql(harness_empty_database, "ALTER TABLE public.things DROP CONSTRAINT spoilt")
    alone = with_settings(plan, batch_workers=1)
    runner.migrate(harness_empty_database, alone, until=STEP)  # who resumes may have fewer
    assert crew.wrong_rows(harness_empty_database) == []


def test_a_step_that_one_began_is_shared_when_it_is_resumed(
    harness_empty_database: str, plan: Plan
) -> None:
    crew.ready(harness_empty_database, plan)
    crew.spoil_row(harness_empty_database, 200)
    with pytest.raises(StepFailed):
        runner.migrate(harness_empty_database, with_settings(plan, batch_workers=1), until=STEP)
    run_sql(harness_empty_database, "ALTER TABLE public.things DROP CONSTRAINT spoilt")
    told: list[Event] = []
    done = runner.migrate(harness_empty_database, plan, until=STEP, on_event=told.append)
    assert crew.wrong_rows(harness_empty_database) == []
    assert done.rows == 840
    assert [event.done for event in told if event.kind == "measured"] == [160]


def test_ranges_that_were_begun_are_rolled_back(harness_empty_database: str, plan: Plan) -> None:
    runner.baseline(harness_empty_database, plan)
    before = contents(harness_empty_database)
    by_turns = with_settings(plan, batch_turns=True)
    with child("migrate", harness_empty_database, by_turns, die_at=80) as dying:
        dying.ended()
    assert ask(harness_empty_database, DONE)
    assert runner.rollback(harness_empty_database, plan).state == "rolled-back"
    assert contents(harness_empty_database) == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM {} WHERE number = 3", "has 15 ranges, not 16"),
        ("UPDATE {} SET last_key = last_key + 1 WHERE number = 3", "range 3 of 1.1/020_fill"),
        ("UPDATE {} SET step = 'x' WHERE number = 3", "range 3 of x"),
    ],
)
def test_a_range_that_somebody_changed_is_noticed(
    damage: str, said: str, harness_empty_database: str, plan: Plan
) -> None:
    crew.ready(harness_empty_database, plan)
    crew.spoil_row(harness_empty_database, 500)
    with pytest.raises(StepFailed):
        runner.migrate(harness_empty_database, plan, until=STEP)
    run_sql(harness_empty_database, damage.format("migration_control.batch_range"))
    with pytest.raises(Refused, match=said):
        runner.migrate(harness_empty_database, plan, until=STEP)


def test_a_range_that_another_session_moved_is_not_worked_on(
    harness_empty_database: str, plan: Plan
) -> None:
    """The fence of a range holds its row as it was read."""
    crew.ready(harness_empty_database, plan)
    crew.spoil_row(harness_empty_database, 500)
    with pytest.raises(StepFailed):
        runner.migrate(harness_empty_database, plan, until=STEP)
    with psycopg.connect(harness_empty_database) as conn:
        known = ledger.read(conn)
        run = known.runs[-1]
        for held in known.steps[run.id][STEP].ranges[:1]:
            assert conn.execute(fence_sql(run.id, run.epoch, held)).fetchone() is not None
            moved = held.moved("running", held.last_key + 1, 1, 1)
            assert conn.execute(fence_sql(run.id, run.epoch, moved)).fetchone() is None


@pytest.mark.parametrize(
    ("keys", "pieces"),
    [
        (range(1, 1001), 8),
        ([*range(900), *range(10**12, 10**12 + 100)], 8),  # nine tenths in one place
        ([7] * 900 + list(range(8, 108)), 8),  # one key is nearly all of it
        ([number**5 for number in range(1000)], 16),
    ],
)
def test_each_piece_has_its_share_of_the_keys_however_they_lie(
    keys: list[int], pieces: int
) -> None:
    found = borders(keys, -1, keys[-1], pieces)
    assert [low for low, _ in found] == [-1, *(high for _, high in found[:-1])]
    assert found[-1][1] == keys[-1]
    repeated = max(sum(1 for _ in group) for _, group in itertools.groupby(keys))
    shares = [sum(low < key <= high for key in keys) for low, high in found]
    assert sum(shares) == len(keys)
    assert max(shares) <= -(-len(keys) // pieces) + repeated


def test_no_range_is_without_an_end() -> None:
    assert borders([], 5, 9, 4) == [(5, 9)]
    assert borders([9, 9, 9], 5, 9, 3) == [(5, 9)]


def test_members_go_on_in_their_turn() -> None:
    turns, heard = Turns(2), list[int]()

    def work(member: int, messages: int) -> None:
        with turns.of(member):
            for _ in range(messages):
                turns.pass_on(member)
                heard.append(member)

    threads = [threading.Thread(target=work, args=pair) for pair in ((1, 5), (0, 3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert heard == [0, 1, 0, 1, 0, 1, 1, 1]
