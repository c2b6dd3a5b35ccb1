"""Which benchmarks of its own a plan has, and what its old clients may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import plan
from harness.document.bench_run import BenchResultDocument, BenchTimeDocument
from harness.scenario.bench.own import cut_points, own_names
from harness.scenario.bench.query import Allowance, BenchmarkQuery
from harness.scenario.bench.run import judge_times, limit_of
from tests.harness.support.people import make_people

CRM = Path("sql/plan.toml")


def test_a_plan_of_phases_and_batches_has_their_benchmarks() -> None:
    names = own_names(plan.load(CRM))
    assert {"migrate", "phase-1.1", "phase-1.4", "resume", "backfill"} <= set(names)


def test_a_plan_of_one_phase_is_stopped_in_its_middle(tmp_path: Path) -> None:
    loaded = plan.load(make_people(tmp_path) / "sql" / "plan.toml")
    cuts = cut_points(loaded)
    assert not [name for name in own_names(loaded) if name.startswith("phase-")]
    assert len(cuts) == 2
    assert cuts[-1] == loaded.steps[-1].id != cuts[0]


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        (BenchmarkQuery("old", "", ("select 1",), ("select 1",)), 1.3),
        (BenchmarkQuery("new", "", ("select 1",), ("select 2",)), None),
        (
            BenchmarkQuery(
                "slow", "", ("select 1",), ("select 1",), allows={"time": Allowance(20, "why")}
            ),
            20,
        ),
    ],
    ids=["in old words", "in new words", "with an allowance"],
)
def test_the_time_a_query_may_take(query: BenchmarkQuery, limit: float | None) -> None:
    assert limit_of(query) == limit


@pytest.mark.parametrize(
    ("rows", "least", "limit", "found"),
    [
        (100_000, 1.31, 1.3, ["benchmark.slower"]),
        (100_000, 1.29, 1.3, []),
        (10_000, 9.0, 1.3, []),
        (100_000, 9.0, None, []),
        (100_000, 9.0, 20.0, []),
    ],
    ids=["slower", "perhaps slower", "too few rows", "a new client", "allowed"],
)
def test_only_what_surely_takes_too_long_is_found(
    rows: int, least: float, limit: float | None, found: list[str]
) -> None:
    time = BenchTimeDocument(median=1.0, spread=0.0, rounds=9)
    result = BenchResultDocument(
        name="kanban", kind="legacy query", rows=rows, seconds=time, before=time,
        ratio=least + 0.1, least=least, limit=limit,
    )  # fmt: skip
    assert [one.id for one in judge_times([result])] == found
