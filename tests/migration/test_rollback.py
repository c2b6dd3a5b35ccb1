"""The way back leads exactly to where the way forward began, and loses nothing on it."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.check.preflight.run import DatabaseStanding
from harness.check.validate.run import validate
from harness.database import admin, template, witness
from harness.plan import Plan, load
from harness.report import evidence
from harness.runner import migrate, rollback
from harness.suite.journey import Fingerprint, differences, state
from harness.suite.rollback import *  # noqa: F403 - the shipped suite; more below
from harness.suite.support import FEW, SMALL, CloneFactory, Pair, TemplateFactory, connected

from . import user_writes
from .support import HOSTILE

if TYPE_CHECKING:
    from harness.server import Server

ODD: list[dict[str, str]] = tomllib.loads(Path(__file__).with_name("odd.toml").read_text("utf-8"))[
    "back"
]
PHASES = ("1.1", "1.2", "1.3", "1.4")
SEEDS = ("real", "hostile")


def test_rollback_of_hostile_rows_leaves_nothing_behind(
    harness_plan: Plan,
    hostile: Pair,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_migrated_template(rows=HOSTILE, profile="hostile"))
    assert rollback(dsn, harness_plan).archived == {}
    source = hostile.source.info
    assert differences(state(admin.with_dbname(dsn, source.dbname)), state(dsn)) == []
    evidence.count("rollback", "seeds rolled back whole", ["hostile"], SEEDS)


def test_rollback_after_users_wrote_keeps_what_it_can_and_archives_the_rest(
    phase: str,
    harness_plan: Plan,
    harness_template: TemplateFactory,
    harness_phase_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    plain, dsn = harness_clone(harness_template()), harness_clone(harness_phase_template(phase))
    wishes = user_writes.writes(phase)
    with connected(plain) as old, connected(dsn) as new:
        ids = user_writes.draw(old)
        before = user_writes.snapshot(new)
        user_writes.perform(old, wishes, ids, old=True)
        user_writes.perform(new, wishes, ids, old=False)
        written = user_writes.snapshot(new)
    outcome = rollback(dsn, harness_plan)
    assert differences(state(plain), state(dsn)) == []
    with connected(dsn) as conn:
        held = user_writes.archive(conn)
    needed = user_writes.required(wishes, ids)
    assert user_writes.archive_findings(needed, before, written, held, outcome.archived) == []
    evidence.count("rollback", "phases rolled back after users wrote", [phase], PHASES)


# Planted defects.

REMNANTS: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("remnants.toml").read_text("utf-8")
)


@pytest.fixture(scope="module")
def spotless(
    harness_server: Server, harness_template: TemplateFactory
) -> Iterator[tuple[Fingerprint, witness.Dump]]:
    """What both witnesses say of a small seeded database."""
    dsn = template.clone(harness_server.dsn(), harness_template(rows=SMALL))
    yield state(dsn), witness.dump(dsn)
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.mark.parametrize("remnant", REMNANTS)
def test_planted_remnant_is_reported(
    remnant: str,
    spotless: tuple[Fingerprint, witness.Dump],
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    dsn = harness_clone(harness_template(rows=SMALL))
    with connected(dsn) as conn:
        conn.execute(REMNANTS[remnant])
    before, dumped = spotless
    assert differences(before, state(dsn)) != []
    assert witness.differences(dumped, witness.dump(dsn)) != ()


def test_a_rollback_that_leaves_something_behind_is_found_out(
    harness_plan: Plan,
    tmp_path: Path,
    harness_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    root = tmp_path / "plan"
    shutil.copytree(harness_plan.root, root)
    with (root / harness_plan.steps[0].rollback.name).open("a") as script:
        script.write("\ncomment on column public.deals.stage is 'was an enum';\n")
    forgetful = load(root / harness_plan.path.name)
    good, dsn = (
        harness_clone(harness_template(rows=SMALL)),
        harness_clone(harness_template(rows=SMALL)),
    )
    migrate(dsn, forgetful)
    rollback(dsn, forgetful)
    found = differences(state(good), state(dsn))
    assert [line for line in found if "deals" in line and "comment" in line], found


def test_an_archive_that_is_wrong_is_found_out() -> None:
    row, other = {"id": "1", "notes": "x"}, {"id": "1", "notes": "y"}
    before = {"things": {1: other, 2: other}}
    written = {"things": {1: row, 2: other, 3: row}}
    assert (
        user_writes.archive_findings(
            {"things": {1}}, before, written, {"things": {1: row}}, {"things": 1}
        )
        == []
    )
    for held, counted, said in (
        ({}, {}, "row 1 is missing"),
        ({"things": {1: other}}, {"things": 1}, "was {"),
        ({"things": {1: row, 2: other}}, {"things": 2}, "never written to"),
        ({"things": {1: row}}, {"things": 2}, "the report says 2"),
        ({"things": {1: row, 9: row}}, {"things": 2}, "was not there"),
    ):
        found = user_writes.archive_findings({"things": {1}}, before, written, held, counted)
        assert any(said in line for line in found), found


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd["name"])
def test_a_database_with_more_than_the_plan_knows_is_passed_and_comes_back(
    odd: dict[str, str],
    harness_plan: Plan,
    harness_clone: CloneFactory,
    harness_template: TemplateFactory,
) -> None:
    dsn = harness_clone(harness_template(rows=FEW))
    with connected(dsn) as conn:
        conn.execute(odd["sql"])
    found = validate(dsn, harness_plan, DatabaseStanding("clean"), free_bytes=10**15)
    assert found.verdict == "pass", found.findings
    before = state(dsn)
    migrate(dsn, harness_plan)
    assert rollback(dsn, harness_plan).archived == {}
    assert differences(before, state(dsn)) == []
