"""SQL is rewritten where a name or a value changes, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.artifact.renames import RelationChange, RenameMap, ValuePairs
from harness.artifact.schema import SeenSchema
from harness.artifact.sql.rewrite import place_of, rewrite_sql
from tests.harness.artifact.maps import crm_map, relation

RENAMES = crm_map()
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
"""A loaded machine takes as long as it takes."""
PAIRS = Path(__file__).with_name("rewritten.sql").read_text("utf-8").split("\n\n")[1:]
REWRITTEN = [(lines[0], lines[1]) for lines in (pair.splitlines() for pair in PAIRS) if lines]


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_names_and_values_change_and_a_second_run_changes_nothing(before: str, after: str) -> None:
    made = rewrite_sql(before, RENAMES)
    assert (made.text, made.doubts) == (after, ())
    again = rewrite_sql(after, RENAMES)
    assert (again.text, again.edits) == (after, ())
    assert rewrite_sql(after, RENAMES.inverse()).text == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("select 1 from deals where stage like 'w%'", "of which values change"),
        ("select 1 from deals where stage > 'won'", "compare by ="),
        ("select 1 from deals where lower(stage) = 'won'", "a function of a column"),
        ("select 1 from deals where stage = any('{won}')", "the text of an array"),
        ("select 1 from deals where stage = 'unheard'", "is not known"),
        ("select 1 from deals where stage = E'w\\x6fn'", "another spelling"),
        ("select deal_id from \"dealNotes\" a join \"dealNotes\" b using (deal_id)", "USING"),
        ("with opportunities as (select 1) select * from deals, opportunities", "WITH query"),
        ("select status from deals d, (select 1 status) s", "qualify it"),
        ("select left(name, 1) as status, count(*) from deals group by status", "result column"),
        ("select * from deals natural join (select 1 as status, 2 as id) x", "NATURAL"),
        ("select * from deals d(a, b, c)", "by their place"),
        ("select * from deals, companies opportunities", "two entries"),
        ("update deals set stage = 'won'", "not a query"),
        ("select from from deals", "does not parse"),
    ],
)  # fmt: skip
def test_what_is_ambiguous_is_left_alone_and_told(text: str, reason: str) -> None:
    made = rewrite_sql(text, RENAMES)
    assert made.text == text
    assert reason in made.doubts[0].reason


def test_a_column_with_two_successors_is_refused_until_the_map_says_which() -> None:
    old, new = relation("deals", "stage"), relation("opportunities", "stage_backup", "stage")
    contested = RelationChange(old, new, {}, {"stage": ("stage_backup", "stage")})
    made = rewrite_sql("select stage from deals", crm_map(deals=contested))
    assert "by its number" in made.doubts[0].reason


def test_values_that_would_change_twice_are_refused() -> None:
    swap = ValuePairs({"a": "b", "b": "a"})
    old = relation("contacts", "email")
    changed = RelationChange(old, old, {"email": "email"}, {}, {"email": swap})
    made = rewrite_sql("select 1 from contacts where email = 'a'", crm_map(contacts=changed))
    assert "another value becomes it" in made.doubts[0].reason


def test_a_column_that_is_gone_is_told_where_it_is_used() -> None:
    old, new = relation("sales", "id", "fax"), relation("sales", "id")
    lost = RelationChange(old, new, {"id": "id"})
    schema = SeenSchema.of((old,), ("public",))
    renames = RenameMap(schema, SeenSchema.of((new,), ("public",)), {old.name: lost})
    assert not renames.says_nothing
    made = rewrite_sql("select fax from sales", renames)
    assert made.doubts[0].reason == "the column 'fax' is gone"


def test_a_doubt_names_its_line_and_column() -> None:
    text = "select 'é'\nfrom deals where stage = 'unheard'"
    assert place_of(text, rewrite_sql(text, RENAMES).doubts[0]) == "2:26"


@UNHURRIED
@given(
    st.sampled_from(REWRITTEN),
    st.sampled_from(["", "-- é won deals\r\n", "/* deals\n\t'won' */ ", "\n\n  "]),
    st.sampled_from(["", ";", " -- dealNotes", "\r\n"]),
)
def test_forward_then_back_is_the_same_bytes(pair: tuple[str, str], lead: str, tail: str) -> None:
    text = lead + pair[0] + tail
    made = rewrite_sql(text, RENAMES)
    assert made.text == lead + pair[1] + tail
    assert rewrite_sql(made.text, RENAMES.inverse()).text == text
