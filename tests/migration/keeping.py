"""Every new column written once, to a row of its own: the way back archives exactly those."""

from __future__ import annotations

from .support import Conn, column, scalar

DEAL = "(select min(id) from public.opportunities)"
MOMENT = "'2033-03-03 12:00Z'"
EDITS: dict[str, tuple[str, ...]] = {
    "companies": (
        "organization_type = 'partner'",
        "is_principal = true",
        "is_distributor = true",
        "parent_company_id = (select max(id) from public.companies)",
        "segment = 'Gold'",
        "segment = null",
        "priority = 'A'",
        "priority = null",
        f"deleted_at = {MOMENT}",
        "import_session_id = '00000000-0000-0000-0000-000000000007'",
    ),
    "contacts": (
        "role = 'buyer'",
        "department = 'R&D'",
        "is_primary_contact = true",
        "purchase_influence = 'High'",
        "purchase_influence = null",
        "decision_authority = 'Influencer'",
        "decision_authority = null",
        f"deleted_at = {MOMENT}",
    ),
    "opportunities": (
        "stage = 'qualified'",
        "stage = 'needs_analysis'",
        "status = 'stalled'",
        "priority = 'critical'",
        "stage_manual = true, probability = 77",
        "stage_manual = true",
        "status_manual = true",
        "principal_organization_id = (select min(id) from public.companies)",
        "distributor_organization_id = (select min(id) from public.companies)",
        "next_action = 'call'",
        "next_action_date = '2033-03-03'",
        "competition = 'them'",
        "decision_criteria = 'price'",
        "actual_close_date = '2001-01-01'",
        f"deleted_at = {MOMENT}",
    ),
    "contact_organizations": (
        "is_primary_contact = true",
        "is_primary_decision_maker = true",
        "role = 'buyer'",
        "purchase_influence = 'High'",
        "purchase_influence = null",
        "decision_authority = 'Influencer'",
        "decision_authority = null",
        "relationship_start_date = '1999-09-09'",
        "relationship_end_date = '2033-03-03'",
        "notes = 'knows everybody'",
        "created_by = (select min(id) from public.sales)",
    ),
    "opportunity_participants": (
        "notes = 'pays late'",
        "created_by = (select min(id) from public.sales)",
    ),
    "activities": (
        f"activity_type = 'interaction', opportunity_id = {DEAL}",
        f"opportunity_id = {DEAL}",
        "type = 'trade_show'",
        "subject = 'Another'",
        "description = 'Another'",
        "duration_minutes = 5",
        "follow_up_required = true",
        "follow_up_date = '2033-03-03'",
        "follow_up_notes = 'x'",
        "outcome = 'agreed'",
        "sentiment = 'neutral'",
        "attachments = '{a}'",
        "attendees = '{b}'",
        "tags = '{c}'",
        "location = 'here'",
        "created_by = case when created_by is null then (select min(id) from public.sales) end",
        f"created_at = {MOMENT}",
        f"activity_date = {MOMENT}",
        f"deleted_at = {MOMENT}",
    ),
    "interaction_participants": (
        "organization_id = (select min(id) from public.companies)",
        "role = 'host'",
        "notes = 'late'",
        f"created_at = {MOMENT}",
    ),
}


def write(conn: Conn) -> dict[str, set[int]]:
    """Write each column to the next row of its table; the rows that must be archived."""
    needed: dict[str, set[int]] = {}
    for table, edits in EDITS.items():
        if table == "interaction_participants":  # behind the rows that are archived for themselves
            keys = _keys(conn, table)[len(EDITS["activities"]) :]
        else:
            keys = _keys(conn, table)
        for key, edit in zip(keys, edits, strict=False):
            conn.execute(f"update public.{table} set {edit} where id = {key}")
            needed.setdefault(table, set()).add(key)
    for key in needed.get("interaction_participants", set()):
        query = f"select activity_id from public.interaction_participants where id = {key}"
        needed.setdefault("activities", set()).add(scalar(conn, query))
    return needed


def findings(conn: Conn, needed: dict[str, set[int]]) -> list[str]:
    """Rows that are not in the archive, and rows there that nobody wrote to."""
    found = []
    for table, keys in needed.items():
        there = scalar(conn, f"select to_regclass('migration_archive.{table}') is not null")
        held = set(column(conn, f"select id from migration_archive.{table}")) if there else set()
        found += [f"archive of {table}: row {key} is missing" for key in sorted(keys - held)]
        found += [f"archive of {table}: row {key} was not written" for key in sorted(held - keys)]
    return found


def _keys(conn: Conn, table: str) -> list[int]:
    """Rows that were made from one of the old schema, where there are such."""
    return column(conn, f"select id from public.{table} order by id")
