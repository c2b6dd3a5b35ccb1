"""Fixtures of the migration suites alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from harness.database import admin, template
from harness.plan import Plan
from harness.runner import migrate

from .support import HOSTILE, SMALL, Pair, paired

if TYPE_CHECKING:
    from harness.server import Server

TemplateFactory = Callable[..., str]
PairFactory = Callable[..., Pair]


@pytest.fixture(scope="module")
def good(source: str, target: str) -> Iterator[Pair]:
    """The seeded and the migrated database, to read."""
    with paired(source, target) as pair:
        yield pair


@pytest.fixture(scope="module")
def hostile(
    pg_server: Server, seeded: TemplateFactory, migrated: TemplateFactory
) -> Iterator[Pair]:
    """The seeded and the migrated database on hostile rows, to read."""
    yield from _module_pair(pg_server, seeded, migrated, rows=HOSTILE, profile="hostile")


@pytest.fixture(scope="module")
def small(pg_server: Server, seeded: TemplateFactory, migrated: TemplateFactory) -> Iterator[Pair]:
    """A small migrated database to write to; each check takes back what it wrote."""
    yield from _module_pair(pg_server, seeded, migrated, rows=SMALL, profile="real")


@pytest.fixture(scope="session")
def halfway(pg_server: Server, plan: Plan, seeded: TemplateFactory) -> TemplateFactory:
    """Return a factory: halfway(phase) -> a template migrated to the end of that phase."""

    def make(phase: str, rows: int | None = None) -> str:
        ids = [one.id for one in plan.phases]
        place = ids.index(phase)
        base = make(ids[place - 1], rows) if place else seeded(rows=rows)

        def build(dsn: str) -> None:
            migrate(dsn, plan, until=plan.phases[place].steps[-1].id)

        return template.ensure(pg_server.dsn(), f"{base}-then-{phase}", build, base=base)

    return make


@pytest.fixture
def pair_factory(
    seeded: TemplateFactory, migrated: TemplateFactory, clone: Callable[[str], str]
) -> Iterator[PairFactory]:
    """Return a factory: a seeded and a migrated database of this test's own."""
    with ExitStack() as stack:

        def make(rows: int | None = None, profile: str = "real") -> Pair:
            before, after = (make(rows=rows, profile=profile) for make in (seeded, migrated))
            return stack.enter_context(paired(clone(before), clone(after)))

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
