"""Access by trying: each role reads and writes the new tables, and gets what it may."""

from __future__ import annotations

from ..support import Pair, acting_as, scalar
from .specification import NEW_TABLES
from .trial import Trial, trial

DENIED = ("42501",)


def check_authenticated_works_with_live_rows(pair: Pair) -> list[str]:
    """A signed-in user adds, reads, changes and deletes rows of every new table."""
    with trial(pair.target) as t, acting_as(pair.target, "authenticated"):
        for table, values in _rows(t).items():
            with t.accepted(f"authenticated works with {table}"):
                key = t.insert(table, **values)
                t.same(f"{table} read back", t.get(table, key, "id"), key)
                changed = t.conn.execute(f"update public.{table} set id = id where id = {key}")
                t.same(f"rows of {table} changed", changed.rowcount, 1)
                gone = t.conn.execute(f"delete from public.{table} where id = {key}")
                t.same(f"rows of {table} deleted", gone.rowcount, 1)
    return t.findings


def check_dead_rows_are_hidden(pair: Pair) -> list[str]:
    """A row with deleted_at is nobody's but the back end's."""
    with trial(pair.target) as t:
        for table, values in _rows(t).items():
            if table in ("opportunity_products", "interaction_participants"):
                continue
            key = t.insert(table, **values, deleted_at="2030-01-01")
            query = f"select count(*) from public.{table} where id = {key}"
            with acting_as(t.conn, "authenticated"):
                with t.refused(f"a dead row added to {table}", DENIED):
                    t.insert_unseen(table, **values, deleted_at="2030-01-01")
                t.same(f"dead rows of {table} read", scalar(t.conn, query), 0)
                changed = t.conn.execute(f"update public.{table} set id = id where id = {key}")
                t.same(f"dead rows of {table} changed", changed.rowcount, 0)
                gone = t.conn.execute(f"delete from public.{table} where id = {key}")
                t.same(f"dead rows of {table} deleted", gone.rowcount, 0)
            with acting_as(t.conn, "service_role"):
                t.same(f"dead rows of {table} for the back end", scalar(t.conn, query), 1)
    return t.findings


def check_authenticated_may_bury(pair: Pair) -> list[str]:
    """A signed-in user may set deleted_at of a live row, now; then it is gone for them."""
    with trial(pair.target) as t, acting_as(pair.target, "authenticated"):
        for table, values in _rows(t).items():
            if table in ("opportunity_products", "interaction_participants"):
                continue
            key = t.insert(table, **values)
            t.conn.execute(f"update public.{table} set deleted_at = now() where id = {key}")
            t.same(f"a buried row of {table}", t.get(table, key, "id"), None)
    return t.findings


def check_anon_is_refused(pair: Pair) -> list[str]:
    """anon can neither read nor add, change or delete a row of a new table."""
    with trial(pair.target) as t:
        for table, values in _rows(t).items():
            key = t.insert(table, **values)
            with acting_as(t.conn, "anon"):
                with t.refused(f"anon adds to {table}", DENIED):
                    t.insert(table, **values)
                for verb in ("select from", "update", "delete from"):
                    what = "set id = id" if verb == "update" else ""
                    with t.refused(f"anon {verb} {table}", DENIED):
                        t.conn.execute(f"{verb} public.{table} {what} where id = {key}")
    return t.findings


def check_nobody_signed_out_writes(pair: Pair) -> list[str]:
    """anon changes and deletes no row of the old tables, nor through the compatibility views."""
    with trial(pair.target) as t, acting_as(pair.target, "anon"):
        for name in ("companies", "contacts", "opportunities", "deals", "tasks"):
            for statement in (f"update public.{name} set id = id", f"delete from public.{name}"):
                touched = t.conn.execute(statement)
                t.same(f"rows touched by anon's {statement}", touched.rowcount, 0)
        with t.refused("anon adds a deal", DENIED):
            t.insert("deals", name="mine", stage="won")
        with t.refused("anon adds a company", DENIED):
            t.company()
    return t.findings


def _rows(t: Trial) -> dict[str, dict[str, object]]:
    """Values that every new table accepts."""
    company = t.company(is_principal=True)
    contact = t.contact()
    deal = t.opportunity()
    activity = t.activity(contact_id=contact)
    values: dict[str, dict[str, object]] = {
        "contact_organizations": {"contact_id": contact, "organization_id": company},
        "contact_preferred_principals": {
            "contact_id": contact,
            "principal_organization_id": company,
        },
        "opportunity_participants": {
            "opportunity_id": deal,
            "organization_id": company,
            "role": "partner",
        },
        "opportunity_products": {"opportunity_id": deal, "product_name": "Widget"},
        "activities": {
            "contact_id": contact,
            "activity_type": "engagement",
            "type": "call",
            "subject": "x",
        },
        "interaction_participants": {"activity_id": activity, "contact_id": contact},
    }
    assert set(values) == set(NEW_TABLES)
    return values
