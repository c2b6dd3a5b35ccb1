"""A write of each new column, each to a row of its own; and writes that say nothing new."""

from __future__ import annotations

from .checks.mapping import PROBABILITIES

COMPANY = "(select min(id) from public.companies)"
LAST = "(select max(id) from public.companies)"
SALE = "(select min(id) from public.sales)"
DEAL = "(select min(id) from public.opportunities)"
MOMENT = "'2033-03-03 12:00Z'"
CLOSED = "(updated_at at time zone 'UTC')::date"


def _staged(stage: str, probability: int, closing: str = "") -> str:
    """An opportunity put into a stage whose other columns say the same, closing date aside."""
    closed = stage in ("closed_won", "closed_lost")
    word = f"'{stage}'" if stage in ("qualified", "needs_analysis") else "stage_backup"
    return (
        f"stage = '{stage}', stage_backup = {word}, probability = {probability},"
        f" actual_close_date = {closing or (CLOSED if closed else 'null')}"
    )


SILENT: dict[str, tuple[str, ...]] = {
    "opportunities": tuple(_staged(*one) for one in PROBABILITIES.items()),
    # A contact that moved while the migration ran: its activity has the company of its own day.
    "contacts": ("company_id_backup = null",),
    "contact_organizations": (  # as the trigger on contacts makes it, with a number of its own
        f"id = id + 500000, created_at = {MOMENT}, relationship_start_date = '2033-03-03'",
    ),
}
"""Writes that leave nothing to archive."""
EDITS: dict[str, tuple[str, ...]] = {
    "companies": (
        "organization_type = 'partner'",
        "is_principal = true",
        "is_distributor = true",
        f"parent_company_id = {LAST}",
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
        "stage = 'qualified', stage_backup = 'won', probability = 25, actual_close_date = null",
        "stage = 'needs_analysis', stage_backup = null, probability = 40, actual_close_date = null",
        *(_staged(stage, abs(probability - 1)) for stage, probability in PROBABILITIES.items()),
        _staged("lead", 10, "'2001-01-01'"),
        _staged("closed_won", 100, "'2001-01-01'"),
        _staged("closed_won", 100, "null"),
        _staged("closed_lost", 0, "null"),
        "status = 'stalled'",
        "priority = 'critical'",
        "estimated_close_date = '2001-01-01'",
        f"customer_organization_id = case company_id when {LAST} then {COMPANY} else {LAST} end",
        f"principal_organization_id = {COMPANY}",
        f"distributor_organization_id = {COMPANY}",
        "founding_interaction_id = (select max(id) from public.activities)",
        "stage_manual = true",
        "status_manual = true",
        "next_action = 'call'",
        "next_action_date = '2033-03-03'",
        "competition = 'them'",
        "decision_criteria = 'price'",
        f"deleted_at = {MOMENT}",
    ),
    "contact_organizations": (
        f"deleted_at = {MOMENT}",
        "is_primary = false",
        f"organization_id = case organization_id when {LAST} then {COMPANY} else {LAST} end",
        "is_primary_contact = true",
        "is_primary_decision_maker = true",
        "role = 'buyer'",
        "purchase_influence = 'High'",
        "purchase_influence = null",
        "decision_authority = 'Influencer'",
        "decision_authority = null",
        "relationship_start_date = '1999-09-09'",
        "relationship_start_date = (created_at at time zone 'UTC')::date + 1",
        f"created_at = {MOMENT}, relationship_start_date = '2033-03-03'",
        "id = id + 500000, relationship_start_date = '1999-09-09'",
        "relationship_end_date = '2033-03-03'",
        "notes = 'knows everybody'",
        f"created_by = {SALE}",
    ),
    "opportunity_participants": (
        f"deleted_at = {MOMENT}",
        "role = 'partner'",
        "is_primary = false",
        f"organization_id = case organization_id when {LAST} then {COMPANY} else {LAST} end",
        "notes = 'pays late'",
        f"created_by = {SALE}",
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
        f"created_by = case when created_by is null then {SALE} end",
        f"created_at = {MOMENT}",
        f"activity_date = {MOMENT}",
        f"deleted_at = {MOMENT}",
        f"organization_id = case organization_id when {LAST} then {COMPANY} else {LAST} end",
        "contact_id = (select max(c.id) from public.contacts c where c.id <> contact_id)",
        "source_task_id = null",
        f"contact_id = null, organization_id = coalesce(organization_id, {COMPANY})",
    ),
    "interaction_participants": (
        f"organization_id = {COMPANY}",
        "role = 'host'",
        "notes = 'late'",
        f"created_at = {MOMENT}",
        "contact_id = (select max(c.id) from public.contacts c where c.id <> contact_id)",
    ),
}
NEW = (  # in tables that nothing of the old schema stands for: every row is archived
    f"""insert into public.contact_preferred_principals (contact_id, principal_organization_id)
    select min(id), {COMPANY} from public.contacts""",
    f"""insert into public.opportunity_products (opportunity_id, product_name, unit_price)
    values ({DEAL}, 'Widget', 3)""",
    "alter table public.opportunity_products add column spare integer",
    "alter table public.opportunity_products drop column spare",  # and leaves its place behind
)
FOLLOWING = {
    "opportunity_participants": """
        select p.id from public.opportunity_participants p
        join public.opportunities o on o.id = p.opportunity_id
        where p.organization_id <> o.customer_organization_id""",
    "interaction_participants": """
        select p.id from public.interaction_participants p
        join public.activities a on a.id = p.activity_id where a.source_task_id is null""",
    "activities": """
        select p.activity_id from public.interaction_participants p
        join public.activities a on a.id = p.activity_id
        left join public.tasks t on t.id = a.source_task_id
        where (p.contact_id, p.role, p.created_at) is distinct from
            (t.contact_id, 'participant', t.done_date)
            or num_nonnulls(p.organization_id, p.notes) > 0
        union
        select founding_interaction_id from public.opportunities
        where founding_interaction_id is not null""",
}
"""Rows that are archived for what was written to another."""
