"""Changes of an API: each planted one is named, with the request that shows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.artifact.learn import learn_map
from harness.artifact.mapfile import Declaration
from harness.check.contract.settings import ApiSettings, ContractSettings
from harness.database import admin
from harness.document.api import ApiDocument
from harness.scenario.api.run import look_at_api

from .schemas import AS_A_VIEW, BEFORE, ROLE, Clone, run_sql

Look = Callable[..., ApiDocument]


@pytest.fixture
def look(harness_empty_database: str, harness_clone: Clone) -> Look:
    """Look at the API before and after a script."""

    def made(script: str, first: str = "", **declared: str) -> ApiDocument:
        run_sql(harness_empty_database, BEFORE + first)
        after = harness_clone(admin.dbname(harness_empty_database))
        run_sql(after, script)
        with admin.connection(harness_empty_database) as old, admin.connection(after) as new:
            renames = learn_map(old, new, Declaration())
        keys = {f"{ROLE} {key}": why for key, why in declared.items()}
        settings = ContractSettings((ROLE,), api=ApiSettings("public", (ROLE,), declared=keys))
        return look_at_api(harness_empty_database, after, renames, settings).document

    return made


def told(document: ApiDocument) -> dict[str, str]:
    return {
        one.change: f"{one.outcome} | {one.request} | {one.before} | {one.after} | {one.reason}"
        for one in document.changes
    }


PLANTED = f"""
alter table orders drop placed, alter total type text;
alter table orders rename note to remark;
revoke insert on orders from {ROLE};
alter type mood rename value 'sad' to 'blue';
drop table parcels;
"""
NAMED = {
    "property-removed /orders placed": "breaks | GET /orders?select=placed& | 2 rows | 42703",
    "property-type /orders total: number (numeric) → string (text)": (
        'breaks | 10.50 comes as "10.50"'
    ),
    "property-renamed /orders note: note → remark": "breaks | 42703",
    "method-removed /orders POST": "breaks | POST /orders {name | 42501",
    "enum-removed /orders state: sad": "breaks | GET /orders?state=eq.sad | 22P02",
    "enum-added /orders state: blue": "opens | state=eq.blue",
    "path-removed /parcels": "breaks | GET /parcels?limit=1 | 1 rows | 42P01",
}


def test_each_planted_change_is_named_with_its_request(look: Look) -> None:
    document = look(PLANTED)
    found = told(document)
    for change, says in NAMED.items():
        assert [one for one in says.split(" | ") if one not in found[change]] == [], found
    assert document.verdict == "fail"
    assert len(document.findings) == sum(one.outcome == "breaks" for one in document.changes)


def test_lost_grant_takes_the_path_and_a_new_one_opens_it(look: Look) -> None:
    given = f"""
        revoke all on orders from {ROLE};
        grant select on hidden to {ROLE};
        alter table parcels add filled int not null default 1;
    """
    found = told(look(given))
    assert found["path-removed /orders"].startswith("breaks")
    assert "42501" in found["path-removed /orders"]
    assert found["path-added /hidden"].startswith("opens")
    filled = found["required-added /parcels filled"]
    assert filled.startswith("kept")
    assert filled.endswith("it is filled where it is left out")


def test_view_of_the_old_name_keeps_the_path_and_what_it_requires(look: Look) -> None:
    required = """
        alter table parcels add must text;
        update parcels set must = 'y';
        alter table parcels alter must set not null;
        alter table purchases alter placed set default now();
        comment on column orders.state is E'a word\n@notNull';
    """
    found = told(look(AS_A_VIEW + required))
    assert found["path-renamed /orders: /orders → /purchases"].startswith("kept")
    assert "publish it by @notNull" in found["required-removed /orders name"]
    assert "required-removed /orders state" not in found  # it is published
    assert "required-removed /orders id" in found
    assert found["required-added /parcels must"].startswith("breaks")
    assert "23502" in found["required-added /parcels must"]


def test_declared_change_is_excused_and_one_that_does_not_happen_is_named(look: Look) -> None:
    happens = "path-renamed /orders: /orders → /purchases"
    script = "alter table orders rename to purchases"
    document = look(script, **{happens: "nobody reads it", "path-removed /parcels": "so it is"})
    assert told(document)[happens].startswith("declared")
    (finding,) = document.findings
    assert finding.where == f"{ROLE} path-removed /parcels"
    assert "declared to break, and does not" in finding.message
    assert document.verdict == "fail"


def test_what_no_row_can_show_is_unknown(look: Look) -> None:
    document = look("alter table parcels alter weight type bigint", first="delete from parcels")
    assert document.verdict == "unknown"
    assert told(document)["property-type /parcels weight: integer (int32) → integer (int64)"]
