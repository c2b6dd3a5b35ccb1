"""Every new column written once, to a row of its own: the way back archives those rows, whole.

The writes are bare: no trigger brings another column along, so that each row is archived for the
one thing that was written to it. Beside them stand rows that were written to and say nothing new.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .checks import specification
from .checks.mapping import PROBABILITIES
from .support import (
    Conn,
    Row,
    column,
    row_differences,
    scalar,
    set_differences,
    shortened,
    table_text,
)

Rows = dict[Any, Row]

COMPANY = "(select min(id) from public.companies)"
LAST = "(select max(id) from public.companies)"
SALE = "(select min(id) from public.sales)"
DEAL = "(select min(id) from public.opportunities)"
MOMENT = "'2033-03-03 12:00Z'"
CLOSED = "(updated_at at time zone 'UTC')::date"
OLD = ("companies", "contacts", "opportunities")
DERIVED = {"search_tsv", "company_id_backup", "stage_backup"}  # found again without an archive


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
TYPES = """
select a.attname, case t.typtype when 'e' then 'text'
  else pg_catalog.format_type(a.atttypid, a.atttypmod) end
from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
where a.attrelid = %s::pg_catalog.regclass and a.attnum > 0 and not a.attisdropped
"""


@dataclass
class Kept:
    """What an archive must hold: rows by table and id, and the types of their columns."""

    rows: dict[str, Rows] = field(default_factory=dict)
    types: dict[str, dict[str, str]] = field(default_factory=dict)


def write(conn: Conn) -> Kept:
    """Write each column to the next row of its table; what must be archived then."""
    conn.execute("set session_replication_role = replica")
    needed = {table: _edited(conn, table) for table in EDITS}
    for statement in NEW:
        conn.execute(statement)
    conn.execute("reset session_replication_role")
    for table, query in FOLLOWING.items():
        needed[table] |= set(column(conn, query))
    for table in ("contact_preferred_principals", "opportunity_products"):
        needed[table] = set(_keys(conn, table))
    kept = Kept()
    for table, keys in needed.items():
        columns = _columns(table)
        rows = table_text(conn, table, columns)
        kept.rows[table] = {key: rows[key] for key in keys}
        types = dict(conn.execute(TYPES, [f"public.{table}"]).fetchall())
        kept.types[table] = {name: types[name] for name in columns}
    return kept


def findings(conn: Conn, kept: Kept, counted: dict[str, int]) -> list[str]:
    """Rows that the last run did not archive, or without need; values, types and counts."""
    run = scalar(conn, "select max(id) from migration_control.run")
    found = []
    told = {name.split(".")[-1].strip('"'): count for name, count in counted.items()}
    for table, rows in kept.rows.items():
        label = f"archive of {table}"
        name = f"migration_archive.{table}"
        if not scalar(conn, "select to_regclass(%s) is not null", [name]):
            found.append(f"{label}: there is none")
            continue
        types = dict(conn.execute(TYPES, [name]).fetchall())
        wanted = {"archived_run": "bigint", "archived_at": "timestamp with time zone"}
        found += set_differences(
            f"columns of the {label}", (wanted | kept.types[table]).items(), types.items()
        )
        if wanted.keys() | kept.types[table].keys() <= types.keys():
            found += row_differences(label, rows, _held(conn, table, list(kept.types[table]), run))
        if told.get(table) != len(rows):
            found.append(f"{label}: the run tells of {told.get(table)} rows, not {len(rows)}")
    return shortened(found)


def _edited(conn: Conn, table: str) -> set[int]:
    """Make the edits of a table, each to a row of its own, behind the rows that stay silent."""
    silent, edits = SILENT.get(table, ()), EDITS[table]
    keys = _keys(conn, table)
    if table == "interaction_participants":  # behind the rows that are archived for themselves
        keys = keys[len(EDITS["activities"]) :]
    if len(keys) <= len(silent) + len(edits):
        raise RuntimeError(f"{len(keys)} rows of {table} are too few for {len(edits)} edits")
    written = [
        scalar(conn, f"update public.{table} set {edit} where id = {key} returning id")
        for key, edit in zip(keys, silent + edits, strict=False)
    ]
    return set(written[len(silent) :])


def _held(conn: Conn, table: str, columns: list[str], run: int) -> Rows:
    fields = ", ".join(f'"{name}"::text' for name in columns)
    query = (
        f"select id, {fields} from migration_archive.{table}"
        " where archived_run = %s and archived_at is not null"
    )
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in conn.execute(query, [run])}


def _columns(table: str) -> list[str]:
    """What is kept of a row: all of a new table's, what an old table gained besides its id."""
    if table not in OLD:
        return list(specification.declarations()[table])
    gained = specification.target()["gained"][table]
    return ["id", *(name for name in gained if name not in DERIVED)]


def _keys(conn: Conn, table: str) -> list[int]:
    """Rows that were made from one of the old schema, where there are such."""
    return column(conn, f"select id from public.{table} order by id")
