"""Fixtures of the shipped suites; a project redefines them in the conftest.py beside its suites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.server import Server

    from .support import TemplateFactory


@pytest.fixture(scope="session")
def harness_phase_template(
    harness_server: Server, harness_plan: Plan, harness_template: TemplateFactory
) -> TemplateFactory:
    """Return a factory: make(phase, rows=None) -> a template migrated to the end of that phase."""
    from harness.database import template
    from harness.runner import migrate

    def make(phase: str, rows: int | None = None) -> str:
        ids = [one.id for one in harness_plan.phases]
        place = ids.index(phase)
        base = make(ids[place - 1], rows) if place else harness_template(rows=rows)

        def build(dsn: str) -> None:
            migrate(dsn, harness_plan, until=harness_plan.phases[place].steps[-1].id)

        return template.ensure(harness_server.dsn(), f"{base}-then-{phase}", build, base=base)

    return make


@pytest.fixture(scope="session")
def harness_filled_steps() -> set[str] | None:
    """The batch steps that surely have several batches of rows; None where nobody says so.

    May be redefined: a suite then wants a run killed after a batch of each of them, and no other.
    """
    return None


@pytest.fixture(scope="session")
def harness_contract(harness_plan: Plan) -> Path | None:
    """The directory of what old clients ask, read/*.sql and write/*.sql; None where there is none.

    It is the `contract` of the object that the project file names, or `contract/` beside the plan.
    """
    from harness.scenario.gate.shipped import contract_of
    from harness.subject.project import find_project

    return contract_of(harness_plan, find_project())
