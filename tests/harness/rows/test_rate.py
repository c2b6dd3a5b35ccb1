"""How fast rows are made, against raw COPY of the same bytes in the same run."""

from __future__ import annotations

import pytest

from .bench import compare_rates

pytestmark = pytest.mark.benchmark_suite


def test_made_rows_reach_half_of_raw_copy(harness_empty_database: str) -> None:
    rates = compare_rates(harness_empty_database, rows=250_000)
    assert rates.ratio >= 0.5, rates
