"""The API that PostgREST makes of the CRM: what changes in it, and what each change comes to."""

from __future__ import annotations

from harness.database import admin
from harness.scenario.api.run import ApiLook
from harness.suite.api import *  # noqa: F403 - the shipped suite; more below

ROLE = "authenticated"
WITNESS = """
select table_name, column_name, is_nullable from information_schema.columns
where table_schema = 'public'
"""
OLD = {
    "/dealNotes": "/opportunityNotes",
    "/deals": "/opportunities",
    "/deals_summary": "/opportunities_summary",
}
REQUIRED = {"companies": (3, 6), "deals": (5, 0), "dealNotes": (2, 0)}


def test_every_relation_is_described_and_nothing_is_lost(look: ApiLook) -> None:
    assert look.document.relations[ROLE] == (12, 21)
    assert set(look.paths("before")) <= set(look.paths("after"))
    assert look.successors == OLD


def test_required_that_is_only_described_otherwise_is_no_change(look: ApiLook) -> None:
    sides = [look.descriptions[ROLE, side]["definitions"] for side in ("before", "after")]
    for name, counts in REQUIRED.items():
        assert tuple(len(one[name].get("required", ())) for one in sides) == counts, name
    lines = [one for one in look.document.changes if one.kind.startswith("required")]
    assert {one.outcome for one in lines} == {"kept"}


def test_description_is_what_a_second_witness_says(
    look: ApiLook, api_clones: tuple[str, str]
) -> None:
    for side, dsn in zip(("before", "after"), api_clones, strict=True):
        with admin.connection(dsn) as conn:
            conn.execute("select set_config('role', %s, false)", [ROLE])
            rows = conn.execute(WITNESS.encode()).fetchall()
        definitions = look.descriptions[ROLE, side]["definitions"]
        ours = {
            (relation, name, name in one.get("required", ()))
            for relation, one in definitions.items()
            for name in one["properties"]
        }
        assert ours == {(relation, name, word == "NO") for relation, name, word in rows}
