"""Two refs compared: interleaved, in pairs, by an interval."""

from harness.scenario.bench.compare.judge import comparison_lines
from harness.scenario.bench.compare.run import ComparisonSettings, run_comparison
from harness.scenario.bench.compare.saved import compare_saved, saved_runs

__all__ = [
    "ComparisonSettings",
    "compare_saved",
    "comparison_lines",
    "run_comparison",
    "saved_runs",
]
