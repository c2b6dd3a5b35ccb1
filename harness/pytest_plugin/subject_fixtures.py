"""Fixtures of the subject: its plan, its rows, databases before and after the migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.options import TRUSTED, find_number, find_setting

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.server import Server
    from harness.subject.protocol import Subject

TemplateFactory = Callable[..., str]


@pytest.fixture(scope="session")
def harness_plan(request: pytest.FixtureRequest) -> Plan:
    """The plan under test."""
    from harness.plan import load
    from harness.subject.choice import default_plan

    root, named = request.config.rootpath, find_setting(request.config, "plan")
    return load(root / named if named else default_plan(root))


@pytest.fixture(scope="session")
def harness_subject(request: pytest.FixtureRequest) -> Subject:
    """The subject under test: a plan, or what the project file names."""
    from harness.subject.choice import foreign_subject, subject_of
    from harness.subject.project import current_project

    config = request.config
    if find_setting(config, "plan") is None:
        project = current_project(config.rootpath)
        if project.kind != "plan":
            return foreign_subject(project, trusted=config.getoption(TRUSTED))
    return subject_of(request.getfixturevalue("harness_plan"))


@pytest.fixture(scope="session")
def harness_subject_template(
    harness_server: Server, harness_subject: Subject, harness_rows: int, harness_seed: int
) -> TemplateFactory:
    """Return a factory: make(rows=None) -> a sealed template of the subject before it is run.

    A command is run only after its probe has arrived at a database of ours, and nowhere else.
    """
    from harness.database import template

    def make(rows: int | None = None) -> str:
        count, subject = rows or harness_rows, harness_subject

        def build(dsn: str) -> None:
            subject.prepare(dsn)
            if subject.seeder is not None:
                subject.seeder(dsn, rows=count, seed=harness_seed, profile="real")
            subject.prove_reach(dsn)

        key = f"subject-{count}-{harness_seed}-{subject.hash}"
        return template.ensure(harness_server.dsn(), key, build)

    return make


@pytest.fixture(scope="session")
def harness_rows(request: pytest.FixtureRequest) -> int:
    """How many rows the suites seed."""
    return find_number(request.config, "rows") or 0


@pytest.fixture(scope="session")
def harness_seed(request: pytest.FixtureRequest) -> int:
    """The seed of the synthetic rows."""
    return find_number(request.config, "seed") or 0


@pytest.fixture(scope="session")
def harness_template(
    request: pytest.FixtureRequest,
    harness_server: Server,
    harness_plan: Plan,
    harness_rows: int,
    harness_seed: int,
) -> TemplateFactory:
    """Return a factory: make(rows=None, profile="real", seed=None) -> a sealed template."""
    from harness.database import template
    from harness.runner import baseline
    from harness.subject.choice import seeder_of
    from harness.subject.project import find_project

    fill = seeder_of(harness_plan.name, find_project(request.config.rootpath))

    def make(rows: int | None = None, profile: str = "real", seed: int | None = None) -> str:
        count, number = rows or harness_rows, harness_seed if seed is None else seed

        def build(dsn: str) -> None:
            baseline(dsn, harness_plan)
            fill(dsn, rows=count, seed=number, profile=profile)

        return template.ensure(
            harness_server.dsn(), f"seed-{count}-{number}-{profile}-{harness_plan.hash}", build
        )

    return make


@pytest.fixture(scope="session")
def harness_migrated_template(
    harness_server: Server, harness_plan: Plan, harness_template: TemplateFactory
) -> TemplateFactory:
    """Return a factory like `harness_template`, of databases migrated (as far as `until`)."""
    from harness.database import template
    from harness.runner import migrate

    def make(*, until: str | None = None, **arguments: Any) -> str:
        source = harness_template(**arguments)

        def build(dsn: str) -> None:
            migrate(dsn, harness_plan, until=until)

        return template.ensure(harness_server.dsn(), f"{source}-until-{until}", build, base=source)

    return make


@pytest.fixture
def harness_baseline(harness_empty_database: str, harness_plan: Plan) -> str:
    """DSN of a new database that holds the plan's baseline and no rows."""
    from harness.runner import baseline

    baseline(harness_empty_database, harness_plan)
    return harness_empty_database


@pytest.fixture(scope="module")
def harness_source(harness_server: Server, harness_template: TemplateFactory) -> Iterator[str]:
    """DSN of a seeded database to read, shared by a module."""
    yield from _module_clone(harness_server, harness_template())


@pytest.fixture(scope="module")
def harness_target(
    harness_server: Server, harness_migrated_template: TemplateFactory
) -> Iterator[str]:
    """DSN of a migrated database to read, shared by a module; its source is `harness_source`."""
    yield from _module_clone(harness_server, harness_migrated_template())


def _module_clone(server: Server, template_name: str) -> Iterator[str]:
    from harness.database import admin, template

    dsn = template.clone(server.dsn(), template_name)
    yield dsn
    admin.drop(server.dsn(), admin.dbname(dsn))
