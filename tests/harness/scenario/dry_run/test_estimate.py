"""What a dry run counts, and how its estimate is held against the run that follows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import pytest

from harness import runner
from harness.core.errors import Refused
from harness.database import admin
from harness.runner import Event
from harness.scenario.dry_run import dry_run, estimate_error
from tests.harness.support.dry_run import COLUMN, added, the_lock, the_step
from tests.harness.support.runner import SmallPlan, run_sql

if TYPE_CHECKING:
    from harness.server import Server


def test_rows_wal_and_temporary_files_are_counted_to_their_step(
    small: SmallPlan, harness_empty_database: str
) -> None:
    small.replace(COLUMN, "-- summary: a column and a table\n", "-- set: work_mem=64kB\n")
    sort = (
        "SELECT count(*) FROM (SELECT g FROM pg_catalog.generate_series(1, 90000) g ORDER BY -g) x;"
    )
    run = dry_run(harness_empty_database, added(small, sort))
    column, fill = the_step(run, "1.1/010_column"), the_step(run, "1.1/020_fill")
    assert (column.rows, fill.rows) == (1, 1000)
    assert column.temp_bytes > 500_000
    assert fill.temp_bytes == 0
    assert fill.wal_bytes > 100_000 > column.wal_bytes > 1000
    assert [one.runs for one in fill.statements] == [3]
    assert the_lock(fill, "public.things", "RowExclusiveLock").rows_changed == 400


def test_the_wal_of_neighbours_is_not_counted(
    small: SmallPlan,
    harness_empty_database: str,
    harness_server: Server,
    harness_clone: Callable[[str], str],
) -> None:
    noise = admin.unique_name("harness_noise")
    admin.create(harness_server.dsn(), noise)
    written = "CREATE TABLE public.n AS SELECT g, repeat('x', 500) FROM generate_series(1, 9000) g"
    run_sql(harness_server.dsn(noise), written)

    def neighbour(event: Event) -> None:
        if event.kind == "batch":
            run_sql(harness_server.dsn(noise), "UPDATE public.n SET g = g + 1")

    done = threading.Event()

    def restless() -> None:
        with admin.connect(harness_server.dsn(noise)) as conn:
            while not done.is_set():
                conn.execute("UPDATE public.n SET g = g + 1 WHERE g < 900")

    try:
        quiet = the_step(dry_run(harness_empty_database, small.load()), "1.1/020_fill").wal_bytes
        run = dry_run(harness_empty_database, small.load(), on_event=neighbour)
        assert abs(the_step(run, "1.1/020_fill").wal_bytes - quiet) < 400_000  # his: some MB
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(restless)
            run = dry_run(harness_empty_database, small.load())
            done.set()
            writing.result()
        # A span of the log that is a look's own has his records in it too: never less than 0.
        assert abs(the_step(run, "1.1/020_fill").wal_bytes - quiet) < quiet / 2
        assert quiet > 100_000
    finally:
        done.set()
        admin.drop(harness_server.dsn(), noise)


def test_the_estimate_is_compared_with_the_run_that_follows(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = added(small, "SELECT pg_catalog.pg_sleep(0.5);")
    document = dry_run(harness_empty_database, plan).document()
    with pytest.raises(Refused, match="holds no run"):
        estimate_error(harness_empty_database, document)
    runner.migrate(harness_empty_database, plan)
    took = estimate_error(harness_empty_database, document).seconds
    assert took is not None
    assert took >= 0.5
    assert (document.estimate_seconds or 0) >= 0.5
    # How near the two came is the machine's matter: what is judged are shares of what it took.
    for share, verdict in ((1.0, "pass"), (1.4, "pass"), (3.0, "fail"), (0.4, "fail")):
        guess = msgspec.structs.replace(document, estimate_seconds=share * took)
        found = estimate_error(harness_empty_database, guess)
        assert (found.verdict, found.why) == (verdict, "")
        assert found.error == pytest.approx(abs(share - 1), abs=0.01)
    plan_then = msgspec.structs.replace(document.plan, hash="another")
    other = msgspec.structs.replace(document, plan=plan_then)
    assert estimate_error(harness_empty_database, other).verdict == "unknown"


def test_the_estimate_of_an_interrupted_run_is_unknown(
    small: SmallPlan, harness_empty_database: str
) -> None:
    plan = small.load()
    document = dry_run(harness_empty_database, plan).document()
    runner.migrate(harness_empty_database, plan, until="1.1/010_column")
    assert "not finished" in estimate_error(harness_empty_database, document).why
    runner.migrate(harness_empty_database, plan)
    assert "interrupted" in estimate_error(harness_empty_database, document).why
