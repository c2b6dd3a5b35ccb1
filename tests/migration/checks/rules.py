"""Rules: values a column refuses, rows that may not be twice, organizations that do not qualify."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ..support import Pair
from . import specification
from .trial import CHECK, UNIQUE, Trial, trial


def check_values(pair: Pair) -> list[str]:
    """A column takes each value of its list and refuses the others."""
    with trial(pair.target) as t:
        rows = _one_of_each(t)
        t.update("opportunities", rows["opportunities"], stage_manual=True)
        for name, rule in specification.target()["values"].items():
            table, column = name.split(".")
            for value in rule["accepted"]:
                with t.accepted(f"{name} = {value!r}"):
                    t.update(table, rows[table], **{column: value})
            for value in rule["refused"]:
                with t.refused(f"{name} = {value!r}"):
                    t.update(table, rows[table], **{column: value})
    return t.findings


def check_one_live_row(pair: Pair) -> list[str]:
    """At most one live row for a contact and an organization, a principal, a participant's role."""
    with trial(pair.target) as t:
        rows = _one_of_each(t)
        contact, company = rows["contacts"], rows["companies"]
        unique = {
            "contact_organizations": {"contact_id": contact, "organization_id": company},
            "contact_preferred_principals": {
                "contact_id": contact,
                "principal_organization_id": company,
            },
            "opportunity_participants": {
                "opportunity_id": rows["opportunities"],
                "organization_id": company,
                "role": "competitor",
            },
        }
        for table, values in unique.items():
            with t.refused(f"a second live row of {table}", UNIQUE):
                t.insert(table, **values)
            t.update(table, rows[table], deleted_at=datetime.now(UTC))
            with t.accepted(f"a live row of {table} beside a dead one"):
                t.insert(table, **values)
    return t.findings


def check_one_primary(pair: Pair) -> list[str]:
    """At most one live primary organization a contact, one live primary participant a role."""
    with trial(pair.target) as t:
        first, second = t.company(), t.company()
        contact = t.contact(company_id=first)
        with t.refused("a second primary organization", UNIQUE):
            t.insert(
                "contact_organizations", contact_id=contact, organization_id=second, is_primary=True
            )
        with t.accepted("a second organization that is not primary"):
            t.insert("contact_organizations", contact_id=contact, organization_id=second)
        deal = t.opportunity(company_id=first)
        with t.refused("a second primary customer", UNIQUE):
            _participant(t, deal, second, "customer", is_primary=True)
        with t.accepted("a primary partner beside the primary customer"):
            _participant(t, deal, second, "partner", is_primary=True)
    return t.findings


def check_principals_qualify(pair: Pair) -> list[str]:
    """A preferred principal is a live principal; a role needs a company that plays it."""
    with trial(pair.target) as t:
        plain, principal = t.company(), t.company(is_principal=True)
        gone = t.company(is_principal=True, deleted_at=datetime.now(UTC))
        distributor = t.company(is_distributor=True)
        contact, deal = t.contact(), t.opportunity(company_id=plain)
        for name, company in (
            ("no", plain),
            ("a deleted", gone),
            ("a distributor, no", distributor),
        ):
            with t.refused(f"{name} principal preferred"):
                _preferred(t, contact, company)
        with t.accepted("a principal preferred"):
            _preferred(t, contact, principal)
        good = _preferred(t, contact, principal)
        with t.refused("a preferred principal changed to a company that is none"):
            t.update("contact_preferred_principals", good, principal_organization_id=plain)
        for role, right, wrong in (
            ("principal", principal, distributor),
            ("distributor", distributor, principal),
        ):
            with t.refused(f"a {role} that is none"):
                _participant(t, deal, plain, role)
            with t.refused(f"a {role} that is the other"):
                _participant(t, deal, wrong, role)
            with t.accepted(f"a {role}"):
                _participant(t, deal, right, role)
    return t.findings


def check_activities_have_what_they_need(pair: Pair) -> list[str]:
    """An interaction has an opportunity; an activity and a participant have somebody."""
    with trial(pair.target) as t:
        contact, company = t.contact(), t.company()
        deal = t.opportunity(company_id=company)
        with t.refused("an interaction without an opportunity", CHECK):
            t.activity(activity_type="interaction", contact_id=contact)
        with t.refused("an activity of nobody", CHECK):
            t.activity(opportunity_id=deal)
        with t.accepted("an interaction"):
            t.activity(activity_type="interaction", organization_id=company, opportunity_id=deal)
        activity = t.activity(contact_id=contact, source_task_id=987654321)
        with t.refused("a task that is two activities", UNIQUE):
            t.activity(contact_id=contact, source_task_id=987654321)
        with t.refused("a participant that is nobody", CHECK):
            t.insert("interaction_participants", activity_id=activity)
        with t.accepted("a participant"):
            t.insert("interaction_participants", activity_id=activity, organization_id=company)
    return t.findings


def check_prices(pair: Pair) -> list[str]:
    """Extended and final price follow quantity, unit price and discount, and cannot be set."""
    with trial(pair.target) as t:
        deal = t.opportunity()
        product = t.insert(
            "opportunity_products",
            opportunity_id=deal,
            product_name="Widget",
            quantity=3,
            unit_price=Decimal("19.99"),
            discount_percent=Decimal("12.50"),
        )
        extended, final = t.get("opportunity_products", product, "extended_price", "final_price")
        t.same("extended_price", extended, Decimal("59.97"))
        t.same("final_price to the cent", round(final, 2), Decimal("52.47"))
        with t.refused("a price set by hand", ("428C9",)):
            t.update("opportunity_products", product, final_price=Decimal(1))
    return t.findings


def _one_of_each(t: Trial) -> dict[str, int]:
    """A row in every table that has rules, on one company, contact and opportunity."""
    company = t.company(is_principal=True, is_distributor=True)
    contact = t.contact()
    deal = t.opportunity(company_id=company)
    return {
        "companies": company,
        "contacts": contact,
        "opportunities": deal,
        "contact_organizations": t.insert(
            "contact_organizations", contact_id=contact, organization_id=company
        ),
        "contact_preferred_principals": _preferred(t, contact, company),
        "opportunity_participants": _participant(t, deal, company, "competitor"),
        "opportunity_products": t.insert(
            "opportunity_products", opportunity_id=deal, product_name="Widget"
        ),
        "activities": t.activity(contact_id=contact),
    }


def _preferred(t: Trial, contact: int, company: int) -> int:
    return t.insert(
        "contact_preferred_principals", contact_id=contact, principal_organization_id=company
    )


def _participant(t: Trial, deal: int, company: int, role: str, *, is_primary: bool = False) -> int:
    return t.insert(
        "opportunity_participants",
        opportunity_id=deal,
        organization_id=company,
        role=role,
        is_primary=is_primary,
    )
