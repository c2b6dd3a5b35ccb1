"""No false alarm: of ordinary rows `harness validate` says pass, on whatever Postgres.

A few seeds in the ordinary run; `make false-alarms` asks all twenty, and where it is told to:
SERVER=system PG=15.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner

from fixtures.seed import load
from harness.cli.validate import validate
from harness.database import admin
from harness.plan import Plan
from harness.runner import baseline
from tests.harness.support.thorough import some_of

if TYPE_CHECKING:
    from harness.server import Server

SEEDS = range(1, 21)


@pytest.fixture(scope="module")
def database(harness_server: Server, harness_plan: Plan) -> Iterator[str]:
    """A baseline that each test fills anew."""
    name = admin.unique_name("harness_ordinary")
    admin.create(harness_server.dsn(), name)
    dsn = admin.with_dbname(harness_server.dsn(), name)
    baseline(dsn, harness_plan)
    yield dsn
    admin.drop(harness_server.dsn(), name)


def validated(dsn: str, plan: Plan, *, rows: int, seed: int, profile: str) -> tuple[int, Any]:
    """Exit status of the command on these rows, and the document that it prints."""
    with psycopg.connect(dsn) as conn:
        conn.execute("truncate auth.users, public.tags, public.companies cascade")
    load(dsn, rows=rows, seed=seed, profile=profile)
    ended = CliRunner().invoke(validate, ["--plan", str(plan.path), "--dsn", dsn, "--json"])
    return ended.exit_code, json.loads(ended.stdout)


@pytest.mark.parametrize("profile", ["clean", "real"])
@pytest.mark.parametrize("number", some_of(SEEDS, 4))
def test_ordinary_rows_give_no_finding_above_info(
    database: str, harness_plan: Plan, number: int, profile: str
) -> None:
    size = 200 + 60 * number
    status, found = validated(database, harness_plan, rows=size, seed=number, profile=profile)
    assert [one for one in found["findings"] if one["severity"] != "info"] == []
    assert (status, found["verdict"]) == (0, "pass")
    # Clean rows have no flaw at all, real ones the few that every database has: they are looked at.
    flaws = [one["id"] for one in found["findings"] if one["id"] in found["checks"]]
    assert bool(flaws) == (profile == "real")


def test_the_same_question_of_hostile_rows_is_answered_with_an_alarm(
    database: str, harness_plan: Plan
) -> None:
    status, found = validated(database, harness_plan, rows=500, seed=1, profile="hostile")
    assert (status, found["verdict"]) == (1, "fail")
