"""Writes of one column each, to one row each, at moments of a migration: each must be followed."""

from __future__ import annotations

from typing import Any

from .support import Pair, acting_as, column

MOMENTS = (
    "1.1/090_deals_backfill",
    "1.1/208_opportunities_sales_index",
    "1.2/030_backfill",
    "1.3/030_backfill",
    "1.4/030_backfill",
)
LATER = ("company_id_backup", "actual_close_date", "estimated_close_date")
WRITES: dict[str, dict[str, str]] = {
    "companies": {
        "name": "'Touched name'",
        "sector": "'Touched sector'",
        "description": "'Touched text'",
        "website": "'https://touched.example'",
        "city": "'Touchedville'",
    },
    "contacts": {
        "first_name": "'Touched'",
        "last_name": "'Toucher'",
        "title": "'Toucher in chief'",
        "background": "'Touching'",
        "email_jsonb": """'[{"email": "touch@example.com", "type": "Work"}]'""",
        "company_id": "(select max(id) from public.companies)",
    },
    "deals": {
        "name": "'Touched deal'",
        "description": "'Touched deal text'",
        "category": "'Touching'",
        "company_id": "(select max(id) from public.companies)",
        "stage": "'won'",
        "updated_at": "'2033-01-01 23:30Z'",
        "expected_closing_date": "'2033-02-02 23:30Z'",
    },
    "tasks": {
        "done_date": "'2033-03-03 23:30Z'",
        "id": "-id",
        "text": "'Touched task'",
        "type": "'Ship'",
        "sales_id": "null",
        "contact_id": "(select min(contact_id) from public.tasks)",
    },
}


def touch(pair: Pair, moment: str) -> None:
    """Write every column once, and delete a task: rows that no other moment touches, in both."""
    place = MOMENTS.index(moment)
    for table, edits in WRITES.items():
        spare = 1 if table == "tasks" else 0
        keys = _keys(pair, table, place, len(edits) + spare)
        for key in keys[len(edits) :]:
            for conn in (pair.source, pair.target):
                conn.execute(f"delete from public.{table} where id = %s", [key])
        for key, (name, value) in zip(keys, edits.items(), strict=not spare):
            for conn in (pair.source, pair.target):
                with acting_as(conn, "authenticated"):
                    conn.execute(
                        f'update public."{table}" set "{name}" = {value} where id = %s', [key]
                    )


def unbacked(pair: Pair) -> list[str]:
    """Deals whose new columns have not followed: until the swap the old ones rule."""
    query = """
        select id from public.deals
        where company_id_backup is distinct from company_id
            or actual_close_date is distinct from case
                when stage_new in ('closed_won', 'closed_lost')
                then (updated_at at time zone 'UTC')::date end
            or estimated_close_date is distinct from
                (expected_closing_date at time zone 'UTC')::date
    """
    return [f"deal {key}: its new columns have not followed" for key in column(pair.target, query)]


def _keys(pair: Pair, table: str, place: int, count: int) -> list[Any]:
    ready = "where done_date is not null" if table == "tasks" else ""
    where = "where company_id is not null" if table in ("contacts", "deals") else ready
    if table == "contacts":  # what becomes of a moved contact's activities is another question
        where += " and id not in (select contact_id from public.tasks)"
    found = column(pair.source, f"select id from public.{table} {where} order by id")
    return found[-(place + 1) * count :][:count]
