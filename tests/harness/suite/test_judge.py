"""The default judge has nothing against a good plan, and each of its stages sees a defect."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.plan import load
from harness.scenario.mutate.judging import Case, hurried, sound
from harness.suite.judge import STAGES, judge
from harness.suite.stage_order import name_of
from tests.harness.support.people import make_people, write

if TYPE_CHECKING:
    from harness.server import Server

NICK = "alter table shop.person add column nick text;"
BACK = "alter table shop.person drop column nick;"
NOTHING = "-- nothing: the column goes with its step"
RULE = """
-- id: shop.nicks
-- severity: critical
-- relation: shop.person
-- message: a nickname that is not written small
select id as key from shop.person where nick is distinct from lower(name)
"""
READ = """
-- about: what a reader asks
-- roles: pg_read_all_data
select id, name, email from shop.person order by id
"""
PLANTED: dict[str, dict[str, tuple[str, str]]] = {
    "forward": {"_010_nick": ("alter table shop.person add column name text;", BACK)},
    "kept": {"_010_nick": (f"{NICK}\ndelete from shop.person where id = 1;", BACK)},
    "back": {"_010_nick": (f"{NICK}\ncreate table shop.left_behind ();", BACK)},
    "verified": {"_020_fill": ("update shop.person set nick = name;", NOTHING)},
    "asked": {"_010_nick": (f"{NICK}\nalter table shop.person rename email to mail;", BACK)},
    "rehearsed": {"_020_fill": ("update shop.person set nick = lower(name);", NOTHING)},
    "boundary": {"_010_nick": (NICK, "-- nothing: x"), "_020_fill": ("select 1;", BACK)},
    "cleaned": {},
}
"""By stage: the steps of a plan that it must not pass."""
SAID = {
    "forward": "already exists",
    "kept": "lost 1 of 300 rows",
    "back": "left_behind",
    "verified": "not written small",
    "asked": "contract.read",
    "rehearsed": "one-transaction",
    "boundary": "nick",
    "cleaned": "lost 300 of 300 rows",
}


def make(root: Path, **steps: tuple[str, str]) -> Path:
    """The plan of people, with something to verify, to ask and to clean up."""
    make_people(root, **steps)
    write(root, "sql/checks/verify/nicks.sql", RULE)
    write(root, "sql/contract/read/ids.sql", READ)
    write(root, "sql/cleanup/010_email.sql", "alter table shop.person drop column email;")
    return root / "sql" / "plan.toml"


def test_a_good_plan_is_passed(tmp_path: Path, harness_server: Server) -> None:
    assert sound(judge, harness_server.dsn(), load(make(tmp_path))) == []


@pytest.mark.parametrize("stage", PLANTED)
def test_a_planted_defect_is_seen(stage: str, tmp_path: Path, harness_server: Server) -> None:
    good = load(make(tmp_path / "good"))
    path = make(tmp_path / "bad", **PLANTED[stage])
    if stage == "cleaned":
        write(tmp_path / "bad", "sql/cleanup/010_email.sql", "delete from shop.person;")
    case = Case(harness_server.dsn(), hurried(load(path)), hurried(good), good.steps[0].id)
    with closing(judge(case, (stage,))) as remarks:  # type: ignore[type-var]
        said = [line for _, findings in remarks for line in findings]
    assert any(SAID[stage] in line for line in said), said


def test_every_stage_has_a_planted_defect() -> None:
    every = {*STAGES.forward, *STAGES.rollback, *STAGES.last}
    assert {name_of(stage) for stage in every} == set(PLANTED)
