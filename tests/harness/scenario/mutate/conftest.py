"""Plans whose mutants are judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plan import Plan
from harness.scenario.mutate import mutants
from harness.scenario.mutate.model import Mutant
from tests.harness.support.runner import SmallPlan


@pytest.fixture(scope="module")
def every(harness_plan: Plan) -> tuple[Mutant, ...]:
    """The mutants of the reference plan."""
    return mutants.of_plan(harness_plan)


@pytest.fixture
def small(tmp_path: Path) -> SmallPlan:
    return SmallPlan(tmp_path / "plan")
