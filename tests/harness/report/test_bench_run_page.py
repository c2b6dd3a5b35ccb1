"""The page of a run of benchmarks says each figure with its spread, and where it was taken."""

from __future__ import annotations

from datetime import date

from harness.core.finding import Finding
from harness.document.bench_run import (
    BenchExponentDocument,
    BenchResultDocument,
    BenchRunDocument,
    BenchTimeDocument,
)
from harness.report.bench_run import bench_run_markdown


def test_the_page_says_figures_spread_machine_date_and_command() -> None:
    half = BenchTimeDocument(median=0.5, spread=0.01, rounds=9)
    results = [
        BenchResultDocument(
            name="kanban", kind="legacy query", rows=100_000, seconds=half,
            before=half, ratio=1.01, least=0.9, limit=1.3,
        ),
        BenchResultDocument(name="server-start", kind="harness", rows=0, seconds=half),
    ]  # fmt: skip
    growth = BenchExponentDocument(
        name="seed", exponent=1.05, upper=1.3, lower=0.8, verdict="unknown"
    )
    document = BenchRunDocument(
        verdict="unknown", benchmarks=results, exponents=[growth], seconds=12.0,
        findings=[Finding("benchmark.exponent-unknown", "warning", "seed", "a | b")],
        server="Postgres 18 (embedded)", machine="x86_64, 2 processors, load 0.1",
    )  # fmt: skip
    page = bench_run_markdown(document, "harness bench run --rows 100000", date(2026, 1, 2))
    assert "`harness bench run --rows 100000 --markdown FILE` on 2026-01-02" in page
    assert "Postgres 18 (embedded); x86_64, 2 processors, load 0.1; 12 s; verdict unknown" in page
    kanban = "| kanban | 100,000 | 500.00 ±10.00 ms | before the migration | 500.00 ±10.00 ms |"
    assert f"{kanban} 1.01, 1.3 may be |" in page
    assert "| server-start |  | 500.00 ±10.00 ms |  |  |  |" in page
    assert "| seed | 1.05 | 0.80 to 1.30 | cannot tell |" in page
    assert "- warning: a \\| b" in page
