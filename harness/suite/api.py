"""The API of the schema: asked as before by every role, described truly, what goes announced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.artifact.learn import learn_map
from harness.artifact.mapfile import NAME, Declaration, read_declaration
from harness.artifact.openapi.validity import list_faults
from harness.check.contract.postgrest.exchange import ApiSession
from harness.check.contract.settings import ApiSettings, ContractSettings, contract_settings
from harness.database import admin, template
from harness.plan import Plan
from harness.report import evidence
from harness.runner import rollback
from harness.scenario.api.announced import check_announced, install_announcer
from harness.scenario.api.run import ApiLook, look_at_api

from .support import FEW, CloneFactory, TemplateFactory

if TYPE_CHECKING:
    from harness.server import Server


@pytest.fixture(scope="module")
def api_settings(harness_contract: Path) -> ContractSettings:
    """What the contract says of the API and of who asks it."""
    return contract_settings(harness_contract)


@pytest.fixture(scope="module")
def shown(api_settings: ContractSettings) -> ApiSettings:
    """The schema that the API shows."""
    assert api_settings.api is not None, "contract.toml has no [api]"
    return api_settings.api


@pytest.fixture(scope="module")
def api_clones(
    harness_server: Server,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
) -> Iterator[tuple[str, str]]:
    """The database before and the one after, of these tests alone: requests move sequences."""
    made = [
        template.clone(harness_server.dsn(), make(rows=FEW))
        for make in (harness_template, harness_migrated_template)
    ]
    yield made[0], made[1]
    for dsn in made:
        admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.fixture(scope="module")
def look(
    harness_plan: Plan, api_settings: ContractSettings, api_clones: tuple[str, str]
) -> ApiLook:
    """Every change of the API, replayed."""
    beside = harness_plan.root / NAME
    declared = read_declaration(beside) if beside.is_file() else Declaration()
    with admin.connection(api_clones[0]) as old, admin.connection(api_clones[1]) as new:
        renames = learn_map(old, new, declared)
    return look_at_api(*api_clones, renames, api_settings)


def test_requests_are_answered_as_before(look: ApiLook) -> None:
    assert [f"{one.where}: {one.message}" for one in look.document.findings] == []
    assert look.document.verdict == "pass"
    names = [f"{one.change} {role}" for one in look.document.changes for role in one.roles]
    evidence.count("api", "changes of the API asked for", names, names)


def test_description_is_valid(look: ApiLook, shown: ApiSettings) -> None:
    assert list_faults(look.descriptions[shown.roles[-1], "after"]) == []
    evidence.count("api", "descriptions read by a validator", [shown.roles[-1]], [shown.roles[-1]])


def test_old_paths_announce_their_end_and_no_other_does(
    look: ApiLook,
    shown: ApiSettings,
    api_settings: ContractSettings,
    api_clones: tuple[str, str],
    harness_plan: Plan,
) -> None:
    if shown.pre_request is None:
        return  # nothing is announced by headers
    actors = [api_settings.actor(role) for role in shown.roles]
    sunset = harness_plan.variables.get("sunset")
    with admin.connection(api_clones[1]) as conn:
        session = install_announcer(ApiSession(conn, shown.schema, shown.pre_request))
        found = [*check_announced(session, actors, look.paths("after"), look.successors, sunset)]
    assert [f"{one.message}\n{one.evidence}" for one in found] == []
    evidence.count("api", "paths with the right headers", look.paths("after"), look.paths("after"))


def test_nothing_is_announced_once_it_is_rolled_back(
    look: ApiLook,
    shown: ApiSettings,
    api_settings: ContractSettings,
    harness_plan: Plan,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    first = harness_plan.steps[0].irreversible
    if shown.pre_request is None or first is not None or not look.successors:
        return  # nothing is announced, or there is no way back
    dsn = harness_clone(harness_migrated_template(rows=FEW))
    actors = [api_settings.actor(role) for role in shown.roles]
    with admin.connection(dsn) as conn:
        session = install_announcer(ApiSession(conn, shown.schema, shown.pre_request))
    rollback(dsn, harness_plan)
    with admin.connection(dsn) as conn:
        session = ApiSession(conn, shown.schema, shown.pre_request)
        found = [*check_announced(session, actors, look.paths("before"), {})]
    assert [f"{one.message}\n{one.evidence}" for one in found] == []
    evidence.count(
        "api", "paths without one, rolled back", look.paths("before"), look.paths("before")
    )
