"""How fast it is: each phase, the way back, and the application's questions before and after.

`make bench` runs these apart from xdist and saves the results; figures that are not times are in
`extra_info`. Without `--pg-rows` each is measured at 10,000 and at 100,000 rows.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from fixtures.bench_seed import empty, raw_copy_rate
from fixtures.seed import load as load_rows
from harness.database import admin, fingerprint, template
from harness.plan import Plan, Step
from harness.runner import migrate, rollback
from harness.scenario.bench.measure import acting, read_parameters, spell, still_session
from harness.scenario.bench.query import BenchmarkQuery, load_queries
from harness.suite.journey import step_before

if TYPE_CHECKING:
    from harness.server import Server

pytestmark = pytest.mark.benchmark_suite
SIZES = (10_000, 100_000)
ROUNDS = 3
PHASES = ("1.1", "1.2", "1.3", "1.4")
BACKFILL = "1.1/090_deals_backfill"
QUERIES = [
    pytest.param(query, side, id=f"{query.name}-{side}")
    for query in load_queries(Path(__file__).parents[2] / "fixtures" / "benchmarks")
    for side in ("before", "after")
    if not query.writes and getattr(query, side)
]
TemplateFactory = Callable[..., str]
CloneFactory = Callable[[str], str]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run of each benchmark a size."""
    if "size" in metafunc.fixturenames:
        told = metafunc.config.getoption("pg_rows") or os.environ.get("HARNESS_ROWS")
        metafunc.parametrize("size", [int(told)] if told else SIZES, scope="module")


@pytest.fixture
def copies(harness_server: Server) -> Iterator[Callable[[str], Callable[[], Any]]]:
    """Return a factory of pedantic's `setup`: each round gets a copy of a template of its own."""
    made: list[str] = []

    def of(template_name: str) -> Callable[[], tuple[tuple[str], dict[str, Any]]]:
        def setup() -> tuple[tuple[str], dict[str, Any]]:
            while made:
                admin.drop(harness_server.dsn(), admin.dbname(made.pop()))
            made.append(template.clone(harness_server.dsn(), template_name))
            return (made[-1],), {}

        return setup

    yield of
    for dsn in made:
        admin.drop(harness_server.dsn(), admin.dbname(dsn))


def report(benchmark: Any, rows: int, **figures: Any) -> None:
    """Keep the size and the rate next to the times."""
    benchmark.extra_info.update(rows=rows, **figures)
    if benchmark.stats is not None:
        benchmark.extra_info["rows_per_second"] = round(rows / benchmark.stats.stats.median)


def test_seed(
    benchmark: Any, size: int, harness_seed: int, harness_plan: Plan, harness_baseline: str
) -> None:
    rates = raw_copy_rate(harness_baseline, rows=size, rounds=ROUNDS)

    def load() -> None:
        load_rows(harness_baseline, rows=size, seed=harness_seed)

    benchmark.pedantic(load, setup=lambda: empty(harness_baseline), rounds=ROUNDS)
    report(benchmark, size, ratio_to_raw_copy=round(rates.ratio, 3))


def test_clone(
    benchmark: Any, size: int, harness_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    name = harness_template(rows=size)
    benchmark.pedantic(harness_clone, (name,), rounds=5)
    report(benchmark, size)


def test_fingerprint(
    benchmark: Any, size: int, harness_template: TemplateFactory, harness_clone: CloneFactory
) -> None:
    dsn = harness_clone(harness_template(rows=size))
    benchmark.pedantic(fingerprint.take, (dsn,), rounds=5)
    report(benchmark, size)


@pytest.mark.parametrize("phase", PHASES)
def test_phase(
    benchmark: Any,
    size: int,
    phase: str,
    harness_plan: Plan,
    copies: Any,
    harness_phase_template: TemplateFactory,
    harness_template: TemplateFactory,
) -> None:
    place = PHASES.index(phase)
    before = PHASES[place - 1] if place else None
    start = harness_phase_template(before, size) if before else harness_template(rows=size)
    last = harness_plan.phases[place].steps[-1].id
    benchmark.pedantic(
        lambda dsn: migrate(dsn, harness_plan, until=last), setup=copies(start), rounds=ROUNDS
    )
    report(benchmark, size, steps=len(harness_plan.phases[place].steps))


def test_whole_migration(
    benchmark: Any, size: int, harness_plan: Plan, copies: Any, harness_template: TemplateFactory
) -> None:
    benchmark.pedantic(
        lambda dsn: migrate(dsn, harness_plan),
        setup=copies(harness_template(rows=size)),
        rounds=ROUNDS,
    )
    report(benchmark, size, steps=len(harness_plan.steps))


def test_rollback(
    benchmark: Any,
    size: int,
    harness_plan: Plan,
    copies: Any,
    harness_migrated_template: TemplateFactory,
) -> None:
    benchmark.pedantic(
        lambda dsn: rollback(dsn, harness_plan),
        setup=copies(harness_migrated_template(rows=size)),
        rounds=ROUNDS,
    )
    report(benchmark, size)


def test_backfill(
    benchmark: Any,
    size: int,
    harness_plan: Plan,
    copies: Any,
    harness_migrated_template: TemplateFactory,
) -> None:
    step = harness_plan.step(BACKFILL)
    copy = copies(harness_migrated_template(rows=size, until=step_before(harness_plan, step.id)))
    single = statistics.median(_single_update(copy()[0][0], step) for _ in range(ROUNDS))
    benchmark.pedantic(
        lambda dsn: migrate(dsn, harness_plan, until=step.id), setup=copy, rounds=ROUNDS
    )
    report(benchmark, size, single_update_seconds=round(single, 4))
    if benchmark.stats is not None:
        ratio = benchmark.stats.stats.median / single
        benchmark.extra_info["ratio_to_single_update"] = round(ratio, 3)


@pytest.mark.parametrize(("query", "side"), QUERIES)
def test_query(
    benchmark: Any,
    size: int,
    query: BenchmarkQuery,
    side: str,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    before = harness_clone(harness_template(rows=size))
    with still_session(before) as conn:
        given = read_parameters(conn, query)
    asked = before if side == "before" else harness_clone(harness_migrated_template(rows=size))
    with still_session(asked) as conn, acting(conn, query):
        texts = spell(conn, getattr(query, side), given)
        found = benchmark(lambda: [conn.execute(text.encode()).fetchall() for text in texts])
    report(benchmark, size, found=len(found[-1]))


def _single_update(dsn: str, step: Step) -> float:
    """Seconds of the step's statements over all rows at once, in one transaction."""
    with psycopg.connect(dsn) as conn:
        began = time.monotonic()
        for statement in step.forward.statements:
            conn.execute(statement.text, {"after": -(2**63), "upto": 2**63 - 1})
        conn.commit()
        return time.monotonic() - began
