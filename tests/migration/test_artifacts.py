"""The shipped suite, and what the CRM claims: each part of its overlay that breaks is named."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.document.impact import ImpactDocument, InsideDocument
from harness.suite.artifacts import *  # noqa: F403

Inside = Mapping[str, InsideDocument]


@pytest.fixture(scope="module")
def inside(impact: ImpactDocument) -> Inside:
    return {f"{one.kind} {one.name}": one for one in impact.inside}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("publication supabase_realtime", "public.deals (14 columns)"),
        ("job cron.job: vacuum-deals", "vacuum analyze public.deals"),
        ("job cron.job: import-deals", "42P10"),
        ("function reports.reserve_deal_id()", "42P01"),
        ("foreign table reports.remote_deals", "42703"),
        ("view reports.won_deals", "stage_backup"),
        ("request /rest/v1/deals?on_conflict=id", "42P10"),
        (
            "request /rest/v1/deals?select=id,name,companies!deals_company_id_fkey(name)",
            "after, instead:",
        ),
    ],
)
def test_what_a_view_cannot_keep_is_named_with_what_shows_it(
    inside: Inside, name: str, shown: str
) -> None:
    one = inside[name]
    assert (one.outcome, one.severity) == ("declared", "info")
    assert shown in " ".join([one.reason, one.statement, one.sqlstate, *one.evidence])
