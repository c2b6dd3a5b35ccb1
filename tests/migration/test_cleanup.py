"""The clean-up takes what it says and no more; what stays holds its rows, rules and rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from harness.plan import Plan
from harness.report import evidence
from harness.scenario.mutate.judging import Case, hurried
from harness.suite import cleanup
from harness.suite.cleanup import *  # noqa: F403 - the shipped suite; more below

from . import cleaning
from .cleaning import Cleaned, clean
from .scene import Scene, scene_of
from .support import Check, Pair, acting_as, connected, paired, taken_back

if TYPE_CHECKING:
    from harness.server import Server


@pytest.fixture(scope="module")
def scene(harness_server: Server, harness_plan: Plan) -> Iterator[Scene]:
    """Databases with what operators added: a clean-up must not take it."""
    case = Case(
        harness_server.dsn(), hurried(harness_plan), hurried(harness_plan), direction="rollback"
    )
    found = scene_of(case)
    yield found
    found.close()


@pytest.fixture(scope="module")
def cleaned(scene: Scene, harness_plan: Plan) -> Cleaned:
    return clean(scene.before(), scene.after(), harness_plan)


@pytest.fixture(scope="module")
def harness_cleaned(cleaned: Cleaned) -> cleanup.Cleaned:
    return cleaned.plain


@pytest.fixture(scope="module")
def pair(cleaned: Cleaned) -> Iterator[Pair]:
    with paired(cleaned.source, cleaned.dsn) as found:
        yield found


def test_it_takes_what_it_says_and_nothing_else(cleaned: Cleaned) -> None:
    assert cleaning.unsaid(cleaned) == []
    evidence.count("cleanup", "objects taken as declared", cleaned.dropped, cleaned.dropped)


def test_it_leaves_nothing_of_the_migration_s_own(cleaned: Cleaned) -> None:
    assert cleaning.left(cleaned) == []


def test_it_lists_what_it_dropped(cleaned: Cleaned) -> None:
    assert cleaning.told(cleaned) == []
    assert "schema migration_archive" in cleaned.dropped


@pytest.mark.parametrize(
    "check", cleaning.LATER, ids=lambda check: check.__name__.removeprefix("check_")
)
def test_what_stays_is_and_does_what_it_did(check: Check, pair: Pair) -> None:
    assert cleaning.attempted(check, pair) == []
    every = [one.__name__ for one in cleaning.LATER]
    evidence.count("cleanup", "checks of what stays", [check.__name__], every)


def test_a_client_goes_through_every_stage(pair: Pair) -> None:
    with taken_back(pair.target) as conn, acting_as(conn, "authenticated"):
        assert cleaning.stages(conn) == ("nurturing", 15)


def test_old_clients_are_told_that_their_names_are_gone(cleaned: Cleaned) -> None:
    with connected(cleaned.dsn) as conn, pytest.raises(psycopg.errors.UndefinedTable):
        conn.execute("select from public.deals")
