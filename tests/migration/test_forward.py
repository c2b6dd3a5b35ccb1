"""The migrated database is what the specification says, in shape, rows, security and behaviour."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.plan import Plan
from harness.report import evidence
from harness.runner import Event, migrate
from harness.suite.journey import impatient

from . import checks
from .checks import mapping
from .old_clients import OldClients
from .support import SMALL, Check, Pair, paired, taken_back
from .users import LATER, MEANWHILE

DEFECTS: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("sabotage.toml").read_text("utf-8")
)["defect"]
BY_NAME = {check.__name__: check for check in checks.READING + checks.TRYING}


def claim(check: Check) -> str:
    return check.__name__.removeprefix("check_")


def counted(check: Check, every: Iterable[Check], what: str) -> None:
    evidence.count("forward", what, [claim(check)], map(claim, every))


@pytest.mark.parametrize("check", checks.READING, ids=claim)
def test_migrated_database_reads_as_specified(check: Check, good: Pair) -> None:
    assert check(good) == []
    counted(check, checks.READING, "checks of shape and rows")


@pytest.mark.parametrize("check", checks.ROWS, ids=claim)
def test_hostile_rows_are_mapped_as_specified(check: Check, hostile: Pair) -> None:
    assert check(hostile) == []
    counted(check, checks.ROWS, "checks of hostile rows")


@pytest.mark.parametrize("check", checks.TRYING, ids=claim)
def test_migrated_database_behaves_as_specified(check: Check, small: Pair) -> None:
    with taken_back(small.target):
        assert check(small) == []
    counted(check, checks.TRYING, "checks of behaviour")


def migrate_among_old_clients(
    plan: Plan, pair: Pair, dsn: str, defect: dict[str, str] | None = None
) -> OldClients:
    """Migrate while old clients write after every batch and step, and a defect comes on the way."""
    clients, turns = OldClients(pair), Counter[str | None]()
    last = plan.steps[-1].id  # once that is done a task makes no activity any more

    def meanwhile(event: Event) -> None:
        if event.kind not in ("batch", "step_done") or event.step == last:
            return
        if event.kind == "step_done" and defect and event.step in defect:
            pair.target.execute(defect[event.step])
        turns[event.step] += 1
        if turns[event.step] <= 5:  # a turn adds rows: after each batch there would be another
            clients.write()

    migrate(dsn, impatient(plan, batch_rows=30), on_event=meanwhile)
    return clients


def test_what_old_clients_write_meanwhile_is_migrated_like_the_rest(
    harness_plan: Plan, harness_template: Callable[..., str], harness_clone: Callable[[str], str]
) -> None:
    before, dsn = (
        harness_clone(harness_template(rows=SMALL)),
        harness_clone(harness_template(rows=SMALL)),
    )
    with paired(before, dsn) as pair:
        assert migrate_among_old_clients(harness_plan, pair, dsn).turns > len(harness_plan.steps)
        found = {check.__name__: check(pair) for check in MEANWHILE}
        assert {name: lines for name, lines in found.items() if lines} == {}
        # What an old client changed after the swap is not the value before the migration.
        assert mapping.check_opportunities(pair, ignoring=LATER) == []


def test_writes_that_pass_the_backfill_by_are_reported(
    harness_plan: Plan, harness_template: Callable[..., str], harness_clone: Callable[[str], str]
) -> None:
    before, dsn = (
        harness_clone(harness_template(rows=SMALL)),
        harness_clone(harness_template(rows=SMALL)),
    )
    filled = [s.id for s in harness_plan.steps if s.forward.table == "public.deals"][-1]
    defect = {filled: "alter table public.deals disable trigger user"}
    with paired(before, dsn) as pair:
        migrate_among_old_clients(harness_plan, pair, dsn, defect)
        assert any("stage" in line for line in mapping.check_opportunities(pair))


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d['check']}-{d['names'][-1]}")
def test_planted_defect_is_reported(defect: dict[str, Any], small: Pair) -> None:
    with taken_back(small.target) as target:
        target.execute("set search_path = public; set allow_system_table_mods = on")
        target.execute(defect["sql"])
        target.execute("reset session_replication_role; set search_path = ''")
        found = BY_NAME[defect["check"]](small)
    assert [line for line in found if all(name in line for name in defect["names"])], found


def test_every_check_has_a_planted_defect() -> None:
    assert {defect["check"] for defect in DEFECTS} == set(BY_NAME)
