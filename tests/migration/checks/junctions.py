"""In step: a junction's live primary row and the column beside it, whichever is written."""

from __future__ import annotations

from datetime import UTC, datetime

from ..support import Pair, acting_as, column
from .trial import CHECK, Trial, trial

LATE = datetime(2031, 5, 6, 23, 30, tzinfo=UTC)  # the next day east of Greenwich


def check_company_follows_junction(pair: Pair) -> list[str]:
    """contacts.company_id is the live primary organization, when the junction is written."""
    with trial(pair.target) as t:
        first, second = t.company(), t.company()
        contact = t.contact()
        row = t.insert(
            "contact_organizations", contact_id=contact, organization_id=first, is_primary=True
        )
        t.same("company after a primary row", t.get("contacts", contact, "company_id"), first)
        t.update("contact_organizations", row, is_primary=False)
        t.same(
            "company after it is primary no more", t.get("contacts", contact, "company_id"), None
        )
        other = t.insert(
            "contact_organizations", contact_id=contact, organization_id=second, is_primary=True
        )
        t.same("company after another primary", t.get("contacts", contact, "company_id"), second)
        t.update("contact_organizations", other, deleted_at=datetime.now(UTC))
        t.same("company after its row died", t.get("contacts", contact, "company_id"), None)
        t.update("contact_organizations", row, is_primary=True)
        t.same("company after the first came back", t.get("contacts", contact, "company_id"), first)
        t.delete("contact_organizations", row)
        t.same("company after its row was deleted", t.get("contacts", contact, "company_id"), None)
    return t.findings


def check_junction_follows_company(pair: Pair) -> list[str]:
    """The live primary row is contacts.company_id, when an old client writes that."""
    with trial(pair.target) as t, acting_as(pair.target, "authenticated"):
        first, second = t.company(), t.company()
        contact = t.contact(company_id=first)
        t.same("primary of a new contact", _primary(t, contact), [first])
        t.update("contacts", contact, company_id=second)
        t.same("primary after a move", _primary(t, contact), [second])
        t.same("live rows after a move", _live(t, contact), [second])
        t.update("contacts", contact, company_id=first)
        t.same("primary after the way back", _primary(t, contact), [first])
        t.update("contacts", contact, company_id=None)
        t.same("primary of a contact without company", _primary(t, contact), [])
        t.insert("contact_organizations", contact_id=contact, organization_id=second)
        t.update("contacts", contact, company_id=second)
        t.same("primary of a row promoted", _primary(t, contact), [second])
        t.same("live rows, the promoted alone", _live(t, contact), [second])
        third = t.company()
        t.insert("contact_organizations", contact_id=contact, organization_id=third)
        t.update("contacts", contact, company_id=first)
        t.same("live rows of others stay", _live(t, contact), [first, third])
        fourth = t.company()
        t.update("contacts", contact, company_id=fourth)
        t.same("primary beside another", _primary(t, contact), [fourth])
    return t.findings


def check_customer_follows_company(pair: Pair) -> list[str]:
    """company_id, customer_organization_id and the primary customer say the same."""
    with trial(pair.target) as t, acting_as(pair.target, "authenticated"):
        first, second = t.company(), t.company()
        deal = t.opportunity(company_id=first)
        t.same("customer of a new deal", _customers(t, deal), (first, first, [first]))
        t.update("opportunities", deal, customer_organization_id=second)
        t.same("customer changed", _customers(t, deal), (second, second, [second]))
        t.update("opportunities", deal, company_id=first)
        t.same("company changed", _customers(t, deal), (first, first, [first]))
        t.update("opportunities", deal, company_id=None)
        t.same("company cleared", _customers(t, deal), (None, None, []))
        with t.refused("company and customer that differ", CHECK):
            t.update("opportunities", deal, company_id=first, customer_organization_id=second)
        other = t.opportunity(customer_organization_id=second)
        t.same("customer of a new opportunity", _customers(t, other), (second, second, [second]))
        for role in ("partner", "customer"):
            _joins(t, other, first, role)
        third = t.company()
        t.insert(
            "opportunity_participants",
            opportunity_id=other,
            organization_id=third,
            role="partner",
            is_primary=True,
        )
        _joins(t, other, third, "customer")
        t.update("opportunities", other, customer_organization_id=first)
        t.same("others' rows", _roles(t, other, third), [("customer", False), ("partner", True)])
        t.same("customer promoted", _customers(t, other), (first, first, [first]))
        t.same("its rows", _roles(t, other, first), [("customer", True), ("partner", False)])
        t.same("rows of the one before", _roles(t, other, second), [])
        fourth, fifth = t.company(), t.company()
        t.update("opportunities", other, customer_organization_id=fourth)
        t.same("beside another customer", _customers(t, other), (fourth, fourth, [fourth]))
        _joins(t, other, fifth, "partner")
        t.update("opportunities", other, customer_organization_id=fifth)
        t.same("a partner becomes customer", _customers(t, other), (fifth, fifth, [fifth]))
    return t.findings


def check_company_follows_participant(pair: Pair) -> list[str]:
    """A primary customer written by a new client is the opportunity's company."""
    with trial(pair.target) as t:
        first, second = t.company(), t.company()
        deal = t.opportunity()
        row = t.insert(
            "opportunity_participants",
            opportunity_id=deal,
            organization_id=first,
            role="customer",
            is_primary=True,
        )
        t.same("after a primary customer", _customers(t, deal), (first, first, [first]))
        t.insert(
            "opportunity_participants",
            opportunity_id=deal,
            organization_id=second,
            role="partner",
            is_primary=True,
        )
        t.same("after a primary partner", _customers(t, deal), (first, first, [first]))
        t.update("opportunity_participants", row, organization_id=second)
        t.same("after it changed", _customers(t, deal), (second, second, [second]))
        t.update("opportunity_participants", row, deleted_at=datetime.now(UTC))
        t.same("after it died", _customers(t, deal), (None, None, []))
        t.insert(
            "opportunity_participants", opportunity_id=deal, organization_id=first, role="customer"
        )
        t.same("after one that is not primary", _customers(t, deal), (None, None, []))
        again = t.insert(
            "opportunity_participants",
            opportunity_id=deal,
            organization_id=second,
            role="customer",
            is_primary=True,
        )
        t.delete("opportunity_participants", again)
        t.same("left with one that is not primary", _customers(t, deal), (None, None, []))
    return t.findings


def check_followed_rows_are_dated(pair: Pair) -> list[str]:
    """A row that is buried or promoted because another was written says when."""
    old = datetime(2001, 1, 1, tzinfo=UTC)
    with trial(pair.target) as t:
        first, second = t.company(), t.company()
        followed = {
            "contact_organizations": ("contacts", "company_id", t.contact(company_id=first)),
            "opportunity_participants": (
                "opportunities",
                "customer_organization_id",
                t.opportunity(company_id=first),
            ),
        }
        for table, (owner, name, key) in followed.items():
            refers = {"contacts": "contact_id", "opportunities": "opportunity_id"}[owner]
            role = {"role": "customer"} if owner == "opportunities" else {}
            for buried in (None, old):
                row = {refers: key, "organization_id": second, "deleted_at": buried}
                t.insert(table, **row, **role)
            third = {"organization_id": t.company(), "deleted_at": old, "is_primary": True}
            t.insert(table, **{refers: key}, **third, **role)
            other = t.contact() if owner == "contacts" else t.opportunity()
            beside = t.insert(table, **{refers: other, "organization_id": second}, **role)
            t.conn.execute(
                f"update public.{table} set updated_at = %s where {refers} = {key}", [old]
            )
            t.update(owner, key, **{name: second})
            dated = (
                f"select count(*) from public.{table} where {refers} = {key} and updated_at > %s"
            )
            t.same(f"rows of {table} dated when they follow", t.value(dated, old), 2)
            t.same(f"another's row of {table}", t.get(table, beside, "is_primary"), False)
            own = {"organization_id": t.company(), "is_primary": True, "updated_at": old}
            made = t.insert(table, **{refers: other}, **own, **role)
            t.same(f"a primary row of {table}, as written", t.get(table, made, "updated_at"), old)
    return t.findings


def check_relations_start(pair: Pair) -> list[str]:
    """A new contact's relation begins when it was first seen, one after a move on this day."""
    with trial(pair.target) as t:
        contact = t.contact(company_id=t.company(), first_seen=LATE)
        started = (
            "select relationship_start_date from public.contact_organizations"
            f" where contact_id = {contact} and is_primary and deleted_at is null"
        )
        t.same("a new contact's relation", t.value(started), LATE.date())
        t.update("contacts", contact, company_id=t.company())
        today = t.value("select (now() at time zone 'UTC')::date")
        t.same("a moved contact's relation", t.value(started), today)
    return t.findings


def _primary(t: Trial, contact: int) -> list[int]:
    query = (
        "select organization_id from public.contact_organizations"
        " where contact_id = %s and is_primary and deleted_at is null"
    )
    return column(t.conn, query, [contact])


def _live(t: Trial, contact: int) -> list[int]:
    query = (
        "select organization_id from public.contact_organizations"
        " where contact_id = %s and deleted_at is null order by 1"
    )
    return column(t.conn, query, [contact])


def _joins(t: Trial, deal: int, company: int, role: str) -> int:
    return t.insert(
        "opportunity_participants", opportunity_id=deal, organization_id=company, role=role
    )


def _roles(t: Trial, deal: int, company: int) -> list[tuple[str, bool]]:
    query = (
        "select role, is_primary from public.opportunity_participants where opportunity_id = %s"
        " and organization_id = %s and deleted_at is null order by role"
    )
    return t.conn.execute(query, [deal, company]).fetchall()


def _customers(t: Trial, deal: int) -> tuple[int | None, int | None, list[int]]:
    query = (
        "select organization_id from public.opportunity_participants where opportunity_id = %s"
        " and role = 'customer' and is_primary and deleted_at is null"
    )
    company, customer = t.get("opportunities", deal, "company_id", "customer_organization_id")
    return company, customer, column(t.conn, query, [deal])
