"""Every check finds the row that it was written for, and its clean-up quiets it; clean rows are."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.check import checkfile
from harness.check.checkfile import CheckFile
from harness.check.judge import CheckRunner
from harness.check.preflight.run import DatabaseStanding
from harness.check.validate.run import validate
from harness.database import admin, template
from harness.plan import Plan

ROOT = Path(__file__).parents[3]
CHECKS = {check.id: check for check in checkfile.load(ROOT / "sql/checks/validate")}
PLANTS: dict[str, str] = tomllib.loads((Path(__file__).parent / "validate_plants.toml").read_text())
UNREACHED_BY_HOSTILE = ("dangling", "duplicate", "required", "behind")
"""Constraints of the baseline stop hostile rows from these; planted rows get round them."""
OF_SCHEMA = {"sequences.behind", "schema.identities", "schema.keys"}
"""Checks that name tables, not rows."""
NOT_HOSTILE = {"sales", "tags", "schema"}
"""Tables in which the hostile profile changes nothing."""

Seeded = Callable[..., str]


@pytest.fixture(scope="module")
def clean(harness_server: Any, harness_template: Seeded) -> Iterator[psycopg.Connection[Any]]:
    """A connection to clean rows; what a test does is rolled back."""
    dsn = template.clone(harness_server.dsn(), harness_template(rows=300, seed=1, profile="clean"))
    with psycopg.connect(dsn, options="-c session_replication_role=replica") as conn:
        conn.execute("set search_path to ''; set timezone to 'UTC'")
        conn.commit()
        yield conn
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.fixture
def rolled_back(clean: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    clean.rollback()
    yield clean
    clean.rollback()


def count(conn: psycopg.Connection[Any], check: CheckFile) -> int:
    (result,) = CheckRunner(conn, keys=5).judge([check])
    assert result.unknown is None
    return result.count


def test_every_check_has_a_planted_row() -> None:
    assert set(PLANTS) == set(CHECKS)


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_planted_row_is_found_named_and_cleaned_up(
    rolled_back: psycopg.Connection[Any], name: str
) -> None:
    check = CHECKS[name]
    assert count(rolled_back, check) == 0
    rolled_back.execute(PLANTS[name])
    (result,) = CheckRunner(rolled_back, keys=5).judge([check])
    assert result.count >= 1
    assert result.keys[0] == ("public.deals" if name in OF_SCHEMA else "1")
    rolled_back.execute(check.cleanup)
    if not check.cleanup.startswith("select") or name == "sequences.behind":
        assert count(rolled_back, check) == 0


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_check_says_what_it_means_and_what_to_do(name: str) -> None:
    check = CHECKS[name]
    assert check.cleanup
    assert check.path.stem == name.replace(".", "_")
    assert not check.message.endswith(".")
    assert check.relation or name in OF_SCHEMA


def test_hostile_rows_fire_every_check_that_constraints_do_not_forestall(
    harness_clone: Callable[[str], str], harness_template: Seeded, harness_plan: Plan
) -> None:
    dsn = harness_clone(harness_template(rows=1500, seed=1, profile="hostile"))
    found = validate(dsn, harness_plan, DatabaseStanding("clean"))
    fired = {finding.id for finding in found.findings}
    expected = {
        name
        for name, check in CHECKS.items()
        if not name.endswith(UNREACHED_BY_HOSTILE) and name.split(".")[0] not in NOT_HOSTILE
    } | {"deals.contact_ids.dangling", "contacts.tags.dangling", "companies.name.duplicate"}
    assert expected - fired == {"contacts.name.blank", "companies.linkedin_url.malformed"}
    assert found.verdict == "fail"
