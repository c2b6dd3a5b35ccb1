"""Whoever reads the ledger beside a runner sees one moment of it, and no damage in between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from harness import runner
from harness.plan import Plan
from harness.runner import ledger
from harness.runner.watching import look, watching
from tests.harness.support.runner import open_transaction, prepared_to_fill, until_waiting

Read = Callable[[str, Plan], str]


def of_a_runner(dsn: str, _: Plan) -> str:
    with psycopg.connect(dsn, autocommit=True) as conn:
        found = ledger.read(conn)
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        return found.state


def of_status(dsn: str, plan: Plan) -> str:
    return runner.status(dsn, plan).state


def of_watch(dsn: str, plan: Plan) -> str:
    with watching(dsn) as conn:
        return look(conn, plan).state


@pytest.mark.parametrize("read", [of_a_runner, of_status, of_watch])
def test_a_commit_between_two_tables_is_not_taken_for_damage(
    read: Read, tmp_path: Path, harness_empty_database: str
) -> None:
    plan = prepared_to_fill(tmp_path, harness_empty_database)
    undone = (
        "LOCK TABLE migration_control.step",  # whoever reads has read the runs by then
        "DELETE FROM migration_control.step",
        "UPDATE migration_control.run SET steps_begun = 0, steps_done = 0",
    )
    with ThreadPoolExecutor() as pool, open_transaction(harness_empty_database, *undone) as other:
        found = pool.submit(read, harness_empty_database, plan)
        until_waiting(harness_empty_database, "%FROM migration_control.step ORDER BY%")
        other.commit()
        assert found.result() == "partial"
