"""Fixtures of the migration suites alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from harness.database import admin, template
from harness.plan import Plan
from harness.suite.support import SMALL, Pair, TemplateFactory, paired

from .support import HOSTILE

if TYPE_CHECKING:
    from harness.server import Server

PairFactory = Callable[..., Pair]


@pytest.fixture(scope="module")
def good(harness_source: str, harness_target: str) -> Iterator[Pair]:
    """The seeded and the migrated database, to read."""
    with paired(harness_source, harness_target) as pair:
        yield pair


@pytest.fixture(scope="module")
def hostile(
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
) -> Iterator[Pair]:
    """The seeded and the migrated database on hostile rows, to read."""
    yield from _module_pair(
        harness_server, harness_template, harness_migrated_template, rows=HOSTILE, profile="hostile"
    )


@pytest.fixture(scope="module")
def small(
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
) -> Iterator[Pair]:
    """A small migrated database to write to; each check takes back what it wrote."""
    yield from _module_pair(
        harness_server, harness_template, harness_migrated_template, rows=SMALL, profile="real"
    )


@pytest.fixture
def pair_factory(
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: Callable[[str], str],
) -> Iterator[PairFactory]:
    """Return a factory: a seeded and a migrated database of this test's own."""
    with ExitStack() as stack:

        def make(rows: int | None = None, profile: str = "real") -> Pair:
            before, after = (
                make(rows=rows, profile=profile)
                for make in (harness_template, harness_migrated_template)
            )
            return stack.enter_context(paired(harness_clone(before), harness_clone(after)))

        yield make


def _module_pair(
    server: Server,
    seeded: TemplateFactory,
    migrated: TemplateFactory,
    **arguments: int | str,
) -> Iterator[Pair]:
    made = [template.clone(server.dsn(), make(**arguments)) for make in (seeded, migrated)]
    with paired(*made) as pair:
        yield pair
    for dsn in made:
        admin.drop(server.dsn(), admin.dbname(dsn))


@pytest.fixture(scope="session")
def harness_filled_steps(harness_plan: Plan) -> set[str]:
    """Every backfill has rows to fill."""
    steps = [step.id for step in harness_plan.steps if step.forward.kind == "batch"]
    return {step for step in steps if "backfill" in step}
