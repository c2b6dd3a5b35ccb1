"""A page takes its only look at a database here: it cannot write, and waits for no lock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.core.poll import wait_until
from harness.people.page.reader import LedgerReader
from harness.people.page.reading import LedgerReading
from harness.plan import Plan
from tests.harness.support.runner import ask, open_transaction, prepared, run_sql


def now() -> datetime:
    return datetime.now(UTC)


def reader_of(dsn: str, plan: Plan, told: list[str] | None = None) -> LedgerReader:
    said = told if told is not None else []
    return LedgerReader(dsn, plan, said.append, now, every=0.05)


def shares(reading: LedgerReading) -> list[float]:
    assert reading.run is not None
    return [step.share for step in reading.run.steps]


def test_a_run_is_read_from_its_ledger_step_by_step(
    tmp_path: Path, harness_empty_database: str
) -> None:
    dsn, plan = harness_empty_database, prepared(tmp_path, harness_empty_database)
    reader = reader_of(dsn, plan)
    assert reader.look().run is None
    runner.migrate(dsn, plan, until="1.1/010_column")
    half = reader.look()
    assert shares(half) == [1.0, 0.0, 0.0]
    assert half.run is not None
    assert not half.at_work
    runner.migrate(dsn, plan)
    whole = reader.look().run
    assert whole is not None
    assert (whole.key, whole.direction) == (half.run.key, "forward")
    assert whole.completed is not None
    runner.rollback(dsn, plan)
    back = reader.look().run
    assert back is not None
    assert (back.direction, back.key == whole.key) == ("rollback", False)


def test_batches_are_a_share_of_the_rows_that_the_server_knows_of(
    tmp_path: Path, harness_empty_database: str
) -> None:
    dsn, plan = harness_empty_database, prepared(tmp_path, harness_empty_database)
    runner.migrate(dsn, plan)
    run_sql(dsn, "ANALYZE public.things")
    run_sql(
        dsn, "UPDATE migration_control.step SET state = 'running', rows = 400 WHERE position = 2"
    )
    # to_regclass and pg_partition_tree would open the table, and wait
    with open_transaction(dsn, "LOCK TABLE public.things IN ACCESS EXCLUSIVE MODE"):
        reader = reader_of(dsn, plan)
        assert shares(reader.look()) == [1.0, pytest.approx(0.4), 1.0]


def test_a_role_that_may_only_read_is_enough_and_nothing_can_be_written(
    tmp_path: Path, harness_empty_database: str
) -> None:
    from harness.runner.watching import watching

    dsn, plan = harness_empty_database, prepared(tmp_path, harness_empty_database)
    runner.migrate(dsn, plan)
    with watching(dsn) as conn, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        conn.execute("CREATE TABLE public.left_behind ()")


def test_when_the_database_goes_away_the_last_reading_stays(
    tmp_path: Path, harness_empty_database: str
) -> None:
    dsn, plan = harness_empty_database, prepared(tmp_path, harness_empty_database)
    runner.migrate(dsn, plan)
    told: list[str] = []
    reader = reader_of(dsn, plan, told)
    reader.start()
    try:
        wait_until(lambda: reader.reading is not None, 30, "a first reading")
        before = reader.reading
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        ask(
            dsn,
            f"{ended} WHERE application_name = 'harness watch' AND datname = current_database()",
        )
        wait_until(lambda: len(told) >= 2, 30, "the loss, and that it is back")
        assert before is not None
        assert reader.reading is not None
        assert reader.reading.run == before.run
        assert reader.reading.at > before.at
        assert told[0].startswith("the database cannot be read: ")
        assert told[1] == "the database can be read again"
    finally:
        reader.stop()
