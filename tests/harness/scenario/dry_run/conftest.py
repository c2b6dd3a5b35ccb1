"""A small plan whose baseline is in a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import runner
from tests.harness.support.runner import SmallPlan


@pytest.fixture
def small(tmp_path: Path, harness_empty_database: str) -> SmallPlan:
    """A small plan whose baseline is in the database."""
    found = SmallPlan(tmp_path)
    runner.baseline(harness_empty_database, found.load())
    return found
