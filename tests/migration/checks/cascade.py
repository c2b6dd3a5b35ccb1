"""Deleting: what goes with what, whichever trigger fires first."""

from __future__ import annotations

from ..support import Pair, records, scalar
from .trial import Trial, trial

KEYS = """
select c.relname as relation, k.conname as name, pg_get_constraintdef(k.oid) as definition
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
where k.contype = 'f' and k.connamespace = 'public'::pg_catalog.regnamespace
order by k.oid
"""


def check_company_takes_everything(pair: Pair) -> list[str]:
    """Deleting a company deletes its contacts, its opportunities and all that hangs on them."""
    with trial(pair.target) as t:
        _delete_a_company(t)
    return t.findings


def check_company_takes_everything_in_any_order(pair: Pair) -> list[str]:
    """The same when the foreign keys' triggers fire in another order, as a restored dump has it."""
    with trial(pair.target) as t:
        for key in reversed(records(t.conn, KEYS)):
            table = f'public."{key["relation"]}"'
            t.conn.execute(
                f'alter table {table} drop constraint "{key["name"]}",'
                f' add constraint "{key["name"]}" {key["definition"]}'
            )
        _delete_a_company(t)
    return t.findings


def check_second_company_does_not_take_the_contact(pair: Pair) -> list[str]:
    """Deleting a contact's second organization leaves the contact and its primary one."""
    with trial(pair.target) as t:
        first, second = t.company(), t.company()
        contact = t.contact(company_id=first)
        t.insert("contact_organizations", contact_id=contact, organization_id=second)
        deal = t.opportunity(company_id=first)
        t.insert(
            "opportunity_participants", opportunity_id=deal, organization_id=second, role="partner"
        )
        t.delete("companies", second)
        t.same("contact's company", t.get("contacts", contact, "company_id"), first)
        t.same("opportunity's company", t.get("opportunities", deal, "company_id"), first)
        t.same("organizations left", _count(t, "contact_organizations", contact_id=contact), 1)
        t.same("participants left", _count(t, "opportunity_participants", opportunity_id=deal), 1)
    return t.findings


def check_contact_takes_its_own(pair: Pair) -> list[str]:
    """Deleting a contact deletes its organizations, preferences, activities, notes and tasks."""
    with trial(pair.target) as t:
        company = t.company(is_principal=True)
        contact = t.contact(company_id=company)
        _contact_things(t, contact, company)
        t.delete("contacts", contact)
        for table in (
            "contact_organizations",
            "contact_preferred_principals",
            "activities",
            "contactNotes",
            "tasks",
        ):
            t.same(f"{table} of a deleted contact", _count(t, table, contact_id=contact), 0)
        t.same("the company", t.get("companies", company, "id"), company)
    return t.findings


def check_opportunity_takes_its_own(pair: Pair) -> list[str]:
    """Deleting an opportunity deletes participants, products, interactions and notes."""
    with trial(pair.target) as t:
        company = t.company()
        deal = t.opportunity(company_id=company)
        _deal_things(t, deal, company)
        t.delete("opportunities", deal)
        for table in (
            "opportunity_participants",
            "opportunity_products",
            "activities",
            "opportunityNotes",
        ):
            t.same(f"{table} of a deleted opportunity", _count(t, table, opportunity_id=deal), 0)
        t.same("the company", t.get("companies", company, "id"), company)
    return t.findings


def check_founding_interaction_is_forgotten(pair: Pair) -> list[str]:
    """Deleting the founding interaction leaves the opportunity; deleting principals likewise."""
    with trial(pair.target) as t:
        company, principal = t.company(), t.company(is_principal=True, is_distributor=True)
        child = t.company(parent_company_id=principal)
        deal = t.opportunity(
            company_id=company,
            principal_organization_id=principal,
            distributor_organization_id=principal,
        )
        activity = t.activity(
            activity_type="interaction", organization_id=company, opportunity_id=deal
        )
        t.update("opportunities", deal, founding_interaction_id=activity)
        t.delete("activities", activity)
        t.delete("companies", principal)
        names = (
            "founding_interaction_id",
            "principal_organization_id",
            "distributor_organization_id",
        )
        t.same("references of the opportunity", t.get("opportunities", deal, *names), (None,) * 3)
        t.same("parent of the child", t.get("companies", child, "parent_company_id"), None)
    return t.findings


def check_task_may_go(pair: Pair) -> list[str]:
    """An activity outlives the task that it was made from."""
    with trial(pair.target) as t:
        key = t.value("select min(source_task_id) from public.activities")
        t.delete("tasks", key)
        left = t.value("select count(*) from public.activities where source_task_id = %s", key)
        t.same("activities of a deleted task", left, 1)
    return t.findings


def _delete_a_company(t: Trial) -> None:
    company, other = t.company(is_principal=True), t.company(is_principal=True)
    contact = t.contact(company_id=company)
    t.insert("contact_organizations", contact_id=contact, organization_id=other)
    _contact_things(t, contact, company)
    deal = t.opportunity(company_id=company)
    t.insert("opportunity_participants", opportunity_id=deal, organization_id=other, role="partner")
    _deal_things(t, deal, company)
    t.delete("companies", company)
    t.same("contact of a deleted company", t.get("contacts", contact, "id"), None)
    t.same("opportunity of a deleted company", t.get("opportunities", deal, "id"), None)
    for table in ("contact_organizations", "contact_preferred_principals", "tasks", "contactNotes"):
        t.same(f"{table} of a deleted company", _count(t, table, contact_id=contact), 0)
    for table in ("opportunity_participants", "opportunity_products", "opportunityNotes"):
        t.same(f"{table} of a deleted company", _count(t, table, opportunity_id=deal), 0)
    t.same("activities of a deleted company", _count(t, "activities", organization_id=company), 0)
    t.same("the other company", t.get("companies", other, "id"), other)


def _contact_things(t: Trial, contact: int, company: int) -> None:
    t.insert("contactNotes", contact_id=contact, text="note")
    t.insert("tasks", contact_id=contact, due_date="2030-01-01")
    t.insert("contact_preferred_principals", contact_id=contact, principal_organization_id=company)
    activity = t.activity(contact_id=contact, organization_id=company)
    t.insert("interaction_participants", activity_id=activity, contact_id=contact)


def _deal_things(t: Trial, deal: int, company: int) -> None:
    t.insert("opportunityNotes", opportunity_id=deal, text="note")
    t.insert("opportunity_products", opportunity_id=deal, product_name="Widget")
    activity = t.activity(activity_type="interaction", organization_id=company, opportunity_id=deal)
    t.update("opportunities", deal, founding_interaction_id=activity)


def _count(t: Trial, table: str, **where: int) -> int:
    ((name, value),) = where.items()
    query = f'select count(*) from public."{table}" where {name} = %s'
    return int(scalar(t.conn, query, [value]))
