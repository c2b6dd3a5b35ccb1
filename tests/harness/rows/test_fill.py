"""Rows made from a catalog: every table, the same rows for the same arguments."""

from __future__ import annotations

from harness.rows import fill_schema


def test_a_baseline_is_filled(harness_baseline: str) -> None:
    filled = fill_schema(harness_baseline, rows=50)
    assert set(filled.tables.values()) == {50}
    assert not filled.unfilled
    assert not filled.limited
