"""How fast it is: run apart from xdist by `make bench`; figures are saved, none is asserted.

Speed is only comparable within one run, so what is a claim (backfill against one UPDATE, seed
against raw COPY) is a ratio of two measurements taken in turns, in `extra_info`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.bench_seed import raw_copy_rate
from fixtures.seed import load
from harness import runner
from harness.database import admin, fingerprint, template
from tests.harness.bench_backfill import measure

from .queries import named

pytestmark = pytest.mark.benchmark_suite

QUERIES = Path(__file__).with_name("benchmark.sql")
ROUNDS = 3


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Sizes: 10,000 and 100,000 rows, or the one that --pg-rows names."""
    if "size" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("pg_rows")
        sizes = [int(chosen)] if chosen else [10_000, 100_000]
        metafunc.parametrize("size", sizes, ids=[f"{size}-rows" for size in sizes])


@pytest.fixture
def dropped(pg_server) -> Iterator[Callable[[str], str]]:
    """Return a factory of clones; the one before is dropped, outside the time that is measured."""
    made: list[str] = []

    def drop() -> None:
        while made:
            admin.drop(pg_server.dsn(), admin.dbname(made.pop()))

    def make(template_name: str) -> str:
        drop()
        made.append(template.clone(pg_server.dsn(), template_name))
        return made[-1]

    yield make
    drop()


def fresh(factory: Callable[[str], str], template_name: str) -> Callable[[], tuple[tuple, dict]]:
    """A setup for pedantic: each round gets a clone of its own."""
    return lambda: ((factory(template_name),), {})


@pytest.mark.parametrize("number", range(4), ids=["1.1", "1.2", "1.3", "1.4"])
def test_phase(benchmark, dropped, seeded, migrated, plan, size, number):
    phase = plan.phases[number]
    before = migrated(rows=size, until=plan.phases[number - 1].id) if number else seeded(rows=size)
    done = benchmark.pedantic(
        lambda dsn: runner.migrate(dsn, plan, until=phase.id),
        setup=fresh(dropped, before),
        rounds=ROUNDS,
    )
    assert done.steps_run
    benchmark.extra_info["rows"] = done.rows


def test_rollback(benchmark, dropped, migrated, plan, size):
    done = benchmark.pedantic(
        lambda dsn: runner.rollback(dsn, plan),
        setup=fresh(dropped, migrated(rows=size)),
        rounds=ROUNDS,
    )
    assert done.state == "rolled-back"


def test_backfill_against_one_update(benchmark, pg_server, plan, size):
    result: dict[str, Any] = benchmark.pedantic(
        lambda: measure(pg_server.dsn(), plan, max(size, 10_000), ROUNDS), rounds=1
    )
    assert result["rows"] >= size
    benchmark.extra_info.update(result)


def test_seed_against_raw_copy(benchmark, empty_baseline, size):
    rates = benchmark.pedantic(
        lambda: raw_copy_rate(empty_baseline, rows=size, rounds=ROUNDS), rounds=1
    )
    assert rates.rows == size
    benchmark.extra_info.update(ratio=rates.ratio, rows_per_second=rates.seed_rows_per_second)


def test_seed(benchmark, pg_server, plan, dropped, size):
    def build(dsn: str) -> None:
        runner.baseline(dsn, plan)

    empty = template.ensure(pg_server.dsn(), f"baseline-{plan.hash}", build)
    report = benchmark.pedantic(
        lambda dsn: load(dsn, rows=size, seed=1, profile="real"),
        setup=fresh(dropped, empty),
        rounds=ROUNDS,
    )
    assert report.rows == size


def test_clone(benchmark, seeded, dropped, size):
    name = seeded(rows=size)
    assert benchmark.pedantic(dropped, args=(name,), rounds=10)


def test_fingerprint(benchmark, seeded, dropped, size):
    dsn = dropped(seeded(rows=size))
    found = benchmark.pedantic(lambda: fingerprint.take(dsn), rounds=5, warmup_rounds=1)
    counted = sum(relation["rows"] for relation in found.relations.values())
    benchmark.extra_info["rows_per_second"] = round(counted / benchmark.stats.stats.median)


def test_fingerprint_of_the_catalog(benchmark, migrated, dropped, size):
    dsn = dropped(migrated(rows=size))
    found = benchmark.pedantic(
        lambda: fingerprint.take(dsn, data=False), rounds=10, warmup_rounds=1
    )
    assert found.catalog


@pytest.mark.parametrize("name", named(QUERIES))
def test_query(benchmark, seeded, migrated, dropped, size, name):
    before = name.endswith("_before")
    dsn = dropped(seeded(rows=size) if before else migrated(rows=size))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("vacuum analyze")
        conn.execute("set role authenticated")
        query = named(QUERIES)[name].encode()
        rows = benchmark(lambda: conn.execute(query).fetchall())
    assert rows
    benchmark.extra_info["rows"] = len(rows)
