"""What names the schema inside the database: each part of the overlay is judged, and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harness.artifact.inside.model import DatabasePair
from harness.artifact.inside.plpgsql import judge_body
from harness.artifact.inside.publications import find_subscriptions
from harness.artifact.learn import learn_map
from harness.artifact.mapfile import Declaration, read_declaration
from harness.database import admin
from harness.document.impact import InsideDocument
from harness.plan import Plan
from harness.scenario.impact.inside import look_inside
from harness.server import Server
from harness.suite.dressed import dressed_clones
from harness.suite.support import FEW, TemplateFactory

ROOT = Path(__file__).parents[3]
OVERLAY = sorted((ROOT / "fixtures" / "overlay").glob("*.sql"))
DECLARED = read_declaration(ROOT / "sql" / "impact.toml")
Found = Mapping[str, InsideDocument]


@pytest.fixture(scope="module")
def pair(
    harness_server: Server, harness_template: TemplateFactory, harness_plan: Plan
) -> Iterator[DatabasePair]:
    """The seeded database with the overlay, and the same after the migration."""
    base = harness_template(rows=FEW)
    files = [*OVERLAY, Path(__file__).with_name("planted.sql")]
    with (
        dressed_clones(harness_server.dsn(), base, harness_plan, files) as clones,
        admin.connection(clones.before) as old,
        admin.connection(clones.after) as new,
    ):
        declared = read_declaration(harness_plan.root / "impact.toml")
        yield DatabasePair(old, new, learn_map(old, new, declared))


@pytest.fixture(scope="module")
def found(pair: DatabasePair) -> Found:
    return {f"{one.kind} {one.name}": one for one in look_inside(pair, Declaration())}


BREAKS = [
    ("trigger public.deals.deals_webhook on update", "differs", "a record of 14 keys has 33"),
    ("trigger public.deals.deals_webhook on insert", "differs", "a record of 14 keys has 33"),
    ("trigger public.deals.deals_webhook on delete", "differs", "a record of 14 keys has 33"),
    ("trigger public.contacts.contacts_webhook on update", "differs", "17 keys has 25"),
    ("events net.http_request_queue", "differs", "the migration's own writes"),
    (
        "publication supabase_realtime",
        "silent",
        "no longer publishes public.dealNotes, public.deals",
    ),
    ("publication warehouse", "silent", "no longer publishes public.deals"),
    ("job cron.job: vacuum-deals", "silent", "skipping"),
    ("job cron.job: import-deals", "cannot", "42P10"),
    ("job cron.job: archive-lost", "same", ""),
    ("job cron.job: count-tags", "same", ""),
    ("function reports.open_deals()", "same", ""),
    ("function reports.rename_stage(text,text)", "same", ""),
    ("function reports.reserve_deal_id()", "cannot", "42P01"),
    ("function reports.won()", "silent", "stage_backup"),
    ("view reports.won_deals", "silent", "stage_backup"),
    ("view public.deals_summary", "same", ""),
    ("foreign table reports.remote_deals", "cannot", "42703"),
    ("request /rest/v1/deals?on_conflict=id", "cannot", "42P10"),
    (
        "request /rest/v1/deals?select=id,name,companies!deals_company_id_fkey(name)",
        "cannot",
        "deals_company_id_fkey",
    ),
    (
        "request /rest/v1/contacts?select=id,companies!contacts_company_id_fkey(name)",
        "same",
        "",
    ),
    ("foreign key public.deals.deals_company_id_fkey", "differs", "opportunities_company_id_fkey"),
    ("upsert public.deals (id)", "cannot", "42P10"),
]


@pytest.mark.parametrize(("name", "outcome", "said"), BREAKS)
def test_each_part_of_the_overlay_is_judged(
    found: Found, name: str, outcome: str, said: str
) -> None:
    assert found[name].outcome == outcome, found[name]
    assert said in f"{found[name].reason} {found[name].sqlstate}"


def test_a_view_that_reads_what_is_only_kept_is_shown_by_a_write(found: Found) -> None:
    shown = found["view reports.won_deals"].evidence[-1]
    assert shown.startswith('after update "public"."opportunities" set "stage"')
    assert shown.endswith("it gives what it gave")


def test_a_publication_says_what_it_publishes_and_why_the_old_name_cannot_be(found: Found) -> None:
    evidence = "\n".join(found["publication warehouse"].evidence)
    assert "before: public.deals (4 columns), public.tags (3 columns)" in evidence
    assert "after: public.opportunities (4 columns)" in evidence
    assert "not supported for views. (22023)" in evidence


def test_what_is_tried_is_taken_back(pair: DatabasePair, found: Found) -> None:
    query = "select count(*) from public.companies where name like %s"
    for conn in (pair.before, pair.after):
        assert conn.execute(query, ["%(changed)"]).fetchone() == (0,), found.keys()
    assert pair.before.execute("select count(*) from net.http_request_queue").fetchone() == (0,)


def test_a_subscription_that_applies_rows_by_old_names_is_named(pair: DatabasePair) -> None:
    with pair.before.transaction(force_rollback=True):
        pair.before.execute(
            "create subscription crm_copy connection 'dbname=away' publication everything"
            " with (connect = false)"
        )
        (one,) = find_subscriptions(pair)
    assert (one.name, one.outcome) == ("crm_copy", "silent")
    assert "public.deals" in one.reason


BODIES = [
    ("perform set_config('a.b', 'deals', false)", "same"),
    ("x := (select max(d.index) from public.deals d where d.id = x)", "same"),
    ("if exists (select from public.deals where amount = x) then x := 1; end if", "same"),
    ('select max(id) from public."dealNotes" n where n.opportunity_id = x into x', "unknown"),
    ("insert into public.deals (id) values (x) on conflict (id) do nothing", "cannot"),
    ("for r in select ctid from public.deals loop null; end loop", "cannot"),
    ("execute 'vacuum deals'", "unknown"),
    ("truncate public.deals cascade", "unknown"),
]


@pytest.mark.parametrize(("statement", "outcome"), BODIES)
def test_a_body_is_judged_statement_by_statement(
    pair: DatabasePair, statement: str, outcome: str
) -> None:
    definition = (
        "create function public.f(x bigint) returns void language plpgsql as"
        f" $$ declare r record; begin {statement}; end $$"
    )
    assert judge_body(pair, definition, None, ())[1].outcome == outcome


def test_what_nobody_declared_is_critical_and_no_more(pair: DatabasePair) -> None:
    found = [one for one in look_inside(pair, DECLARED) if one.severity == "critical"]
    assert sorted(f"{one.kind} {one.name}" for one in found) == [
        "foreign table reports.notes",
        "function reports.newest()",
        "job cron.job: empty",
        "publication leads",
        "request /dealNotes?select=id,deals!dealNotes_deal_id_fkey!inner(name)",
        "trigger public.dealNotes.enters on insert",
        "view reports.lost_deals",
    ]
