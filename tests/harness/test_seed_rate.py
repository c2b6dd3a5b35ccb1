"""How fast the seed is, against raw COPY of the same bytes in the same run."""

from __future__ import annotations

import pytest

from fixtures.bench_seed import raw_copy_rate

pytestmark = pytest.mark.benchmark_suite


def test_the_seed_reaches_70_percent_of_raw_copy(harness_baseline):
    rates = raw_copy_rate(harness_baseline, rows=1_000_000, rounds=3)
    assert rates.ratio >= 0.7, rates
    assert rates.client_peak_megabytes < 300, rates
