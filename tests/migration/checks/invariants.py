"""Invariants: what holds of every row at any time after the migration, whoever wrote it."""

from __future__ import annotations

from ..support import Pair, column, shortened

CONTACTS = """
select c.id from public.contacts c
left join public.contact_organizations o
  on o.contact_id = c.id and o.is_primary and o.deleted_at is null
where c.company_id is distinct from o.organization_id
"""
OPPORTUNITIES = """
select o.id from public.opportunities o
left join public.opportunity_participants p on p.opportunity_id = o.id
  and p.role = 'customer' and p.is_primary and p.deleted_at is null
where o.company_id is distinct from p.organization_id
  or o.company_id is distinct from o.customer_organization_id
"""
PROBABILITIES = """
select o.id from public.opportunities o
join (values ('lead', 10), ('qualified', 25), ('needs_analysis', 40), ('proposal', 60),
  ('negotiation', 80), ('closed_won', 100), ('closed_lost', 0), ('nurturing', 15)
) v (stage, probability) on v.stage = o.stage::text
where not o.stage_manual and o.probability <> v.probability
"""
CLOSED = """
select id from public.opportunities
where (actual_close_date is not null) <> (stage::text in ('closed_won', 'closed_lost'))
"""
ESTIMATED = """
select id from public.opportunities
where estimated_close_date is distinct from (expected_closing_date at time zone 'UTC')::date
"""


def check_company_is_the_primary_organization(pair: Pair) -> list[str]:
    """A contact's company_id is its live primary organization, or both are missing."""
    return _findings(pair, "contact {} has another company than its primary organization", CONTACTS)


def check_company_is_the_primary_customer(pair: Pair) -> list[str]:
    """company_id, customer_organization_id and the live primary customer are one."""
    return _findings(pair, "opportunity {} has another company than its customer", OPPORTUNITIES)


def check_probability_is_the_stage_s(pair: Pair) -> list[str]:
    """Probability is the stage's wherever nobody set it by hand."""
    return _findings(pair, "opportunity {} has another probability than its stage", PROBABILITIES)


def check_closed_are_dated(pair: Pair) -> list[str]:
    """A closed opportunity has a closing date, an open one has none."""
    return _findings(pair, "opportunity {} is closed without a date or dated without end", CLOSED)


def check_estimate_is_the_expectation(pair: Pair) -> list[str]:
    """The estimated date is the expected one in UTC."""
    return _findings(pair, "opportunity {} is estimated and expected on two days", ESTIMATED)


def _findings(pair: Pair, claim: str, query: str) -> list[str]:
    return shortened([claim.format(key) for key in column(pair.target, query)])
