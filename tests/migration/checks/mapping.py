"""Rows: what every source row must have become, said again in Python from the specification."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

from ..support import Conn, Pair, Row, keyed, records, row_differences, scalar, table_text
from . import specification

STAGES = {
    "opportunity": "lead",
    "proposal-sent": "proposal",
    "in-negociation": "negotiation",
    "won": "closed_won",
    "lost": "closed_lost",
    "delayed": "nurturing",
}
PROBABILITIES = {
    "lead": 10,
    "qualified": 25,
    "needs_analysis": 40,
    "proposal": 60,
    "negotiation": 80,
    "closed_won": 100,
    "closed_lost": 0,
    "nurturing": 15,
}
INTERACTIONS = {
    "Call": "call",
    "Email": "email",
    "Meeting": "meeting",
    "Lunch": "meeting",
    "Demo": "demo",
    "Follow-up": "follow_up",
    "Thank you": "follow_up",
    "Ship": "follow_up",
}


def stage_of(text: str) -> str:
    """The new stage of an old one: the map, the new labels themselves, anything else lead."""
    return STAGES.get(text, text if text in PROBABILITIES else "lead")


def utc_date(moment: datetime | None) -> date | None:
    """The date of a moment in UTC."""
    return None if moment is None else moment.astimezone(UTC).date()


def check_old_values(pair: Pair) -> list[str]:
    """Every old row is there with every old value as it was, updated_at included."""
    found = []
    for old in specification.baseline()["tables"]:
        new = specification.new_name(old)
        columns = [
            name for name in specification.old_columns(old) if (old, name) != ("deals", "stage")
        ]
        moved = ["opportunity_id" if name == "deal_id" else name for name in columns]
        before = table_text(pair.source, old, columns)
        expected = {key: dict(zip(moved, row.values(), strict=True)) for key, row in before.items()}
        found += row_differences(new, expected, table_text(pair.target, new, moved))
    return found


def check_companies(pair: Pair) -> list[str]:
    """Every company is a customer with the defaults of its new columns."""
    expected = {
        key: {
            "id": key,
            "organization_type": "customer",
            "is_principal": False,
            "is_distributor": False,
            "parent_company_id": None,
            "segment": "Standard",
            "priority": "C",
            "deleted_at": None,
            "import_session_id": None,
        }
        for key in _ids(pair.source, "companies")
    }
    return _compare("companies", expected, pair.target)


def check_contacts(pair: Pair) -> list[str]:
    """Every contact keeps its company in the backup and has the defaults of its new columns."""
    expected = {
        row["id"]: {
            "id": row["id"],
            "role": None,
            "department": None,
            "is_primary_contact": False,
            "purchase_influence": "Unknown",
            "decision_authority": "End User",
            "deleted_at": None,
            "company_id_backup": row["company_id"],
        }
        for row in records(pair.source, "select id, company_id from public.contacts")
    }
    return _compare("contacts", expected, pair.target)


def check_opportunities(pair: Pair, ignoring: tuple[str, ...] = ()) -> list[str]:
    """Every deal is an opportunity: stage, probability, dates, organizations and backups."""
    deals = records(pair.source, "select * from public.deals")
    expected = {row["id"]: _opportunity(row) for row in deals}
    for row in expected.values():
        for name in ignoring:
            del row[name]
    return _compare("opportunities", expected, pair.target)


def check_contact_organizations(pair: Pair) -> list[str]:
    """Every contact with a company has one live primary row, and no contact another live one."""
    expected = {row["id"]: _contact_organization(row) for row in _employed(pair.source)}
    return _compare("contact_organizations", expected, pair.target, key="contact_id")


def check_opportunity_participants(pair: Pair) -> list[str]:
    """Every deal with a company has one live primary customer, and no deal another live one."""
    deals = records(pair.source, "select * from public.deals where company_id is not null")
    expected = {row["id"]: _participant(row) for row in deals}
    return _compare("opportunity_participants", expected, pair.target, key="opportunity_id")


def check_activities(pair: Pair) -> list[str]:
    """Every task that was done is one engagement, and no other activity exists."""
    expected = {row["id"]: _activity(row) for row in _done_tasks(pair.source)}
    return _compare("activities", expected, pair.target, key="source_task_id")


def check_interaction_participants(pair: Pair) -> list[str]:
    """Every engagement has its contact as the one participant."""
    actual = records(
        pair.target,
        "select a.source_task_id, p.contact_id, p.organization_id, p.role, p.notes, p.created_at"
        " from public.interaction_participants p"
        " join public.activities a on a.id = p.activity_id",
    )
    expected = {
        row["id"]: {
            "source_task_id": row["id"],
            "contact_id": row["contact_id"],
            "organization_id": None,
            "role": "participant",
            "notes": None,
            "created_at": row["done_date"],
        }
        for row in _done_tasks(pair.source)
    }
    label = "interaction_participants of task"
    twice = _twice(label, actual, "source_task_id")
    return twice + row_differences(label, expected, keyed(actual, "source_task_id"))


def check_backfill_is_repeatable(pair: Pair) -> list[str]:
    """Backfilled rows have the ids and times of what they were made from, run when it may."""
    employed, tasks = _employed(pair.source), _done_tasks(pair.source)
    deals = records(
        pair.source, "select id, created_at from public.deals where company_id is not null"
    )
    made = {
        "contact_organizations": (
            {row["id"]: row["first_seen"] or row["company_created_at"] for row in employed},
            ("created_at", "updated_at"),
        ),
        "opportunity_participants": (
            {row["id"]: row["created_at"] for row in deals},
            ("created_at", "updated_at"),
        ),
        "activities": (
            {row["id"]: row["done_date"] for row in tasks},
            ("created_at", "updated_at"),
        ),
        "interaction_participants": (
            {row["id"]: row["done_date"] for row in tasks},
            ("created_at",),
        ),
    }
    found = []
    for table, (moments, columns) in made.items():
        expected = {
            key: {"id": key, **dict.fromkeys(columns, moment)} for key, moment in moments.items()
        }
        found += _compare(table, expected, pair.target)
    return found


def check_empty_tables(pair: Pair) -> list[str]:
    """What the old schema knew nothing of is empty."""
    return [
        f"{table} is not empty"
        for table in ("contact_preferred_principals", "opportunity_products")
        if scalar(pair.target, f"select count(*) from public.{table}")
    ]


def _opportunity(deal: Row) -> Row:
    stage = stage_of(deal["stage"])
    closed = stage in ("closed_won", "closed_lost")
    return {
        "id": deal["id"],
        "stage": stage,
        "stage_backup": deal["stage"],
        "company_id_backup": deal["company_id"],
        "status": "active",
        "priority": "medium",
        "probability": PROBABILITIES[stage],
        "estimated_close_date": utc_date(deal["expected_closing_date"]),
        "actual_close_date": utc_date(deal["updated_at"]) if closed else None,
        "customer_organization_id": deal["company_id"],
        "stage_manual": False,
        "status_manual": False,
    } | dict.fromkeys(
        (
            "principal_organization_id",
            "distributor_organization_id",
            "founding_interaction_id",
            "next_action",
            "next_action_date",
            "competition",
            "decision_criteria",
            "deleted_at",
        )
    )


def _contact_organization(contact: Row) -> Row:
    return {
        "contact_id": contact["id"],
        "organization_id": contact["company_id"],
        "is_primary": True,
        "is_primary_contact": False,
        "is_primary_decision_maker": False,
        "role": None,
        "purchase_influence": "Unknown",
        "decision_authority": "End User",
        "relationship_start_date": utc_date(contact["first_seen"]),
        "relationship_end_date": None,
        "notes": None,
        "created_by": None,
    }


def _participant(deal: Row) -> Row:
    return {
        "opportunity_id": deal["id"],
        "organization_id": deal["company_id"],
        "role": "customer",
        "is_primary": True,
        "notes": None,
        "created_by": None,
    }


def _activity(task: Row) -> Row:
    kind = task["type"]
    return {
        "source_task_id": task["id"],
        "activity_type": "engagement",
        "type": INTERACTIONS.get(kind, "check_in"),
        "subject": "Task" if kind in (None, "None") else kind,
        "description": task["text"],
        "activity_date": task["done_date"],
        "created_at": task["done_date"],
        "updated_at": task["done_date"],
        "contact_id": task["contact_id"],
        "organization_id": task["company_id"],
        "created_by": task["known_sales_id"],
        "follow_up_required": False,
    } | dict.fromkeys(
        (
            "duration_minutes",
            "opportunity_id",
            "follow_up_date",
            "follow_up_notes",
            "outcome",
            "sentiment",
            "attachments",
            "attendees",
            "tags",
            "location",
            "deleted_at",
        )
    )


def _done_tasks(source: Conn) -> list[Row]:
    return records(
        source,
        "select t.*, c.company_id, s.id as known_sales_id from public.tasks t"
        " join public.contacts c on c.id = t.contact_id"
        " left join public.sales s on s.id = t.sales_id where t.done_date is not null",
    )


def _employed(source: Conn) -> list[Row]:
    return records(
        source,
        "select c.*, o.created_at as company_created_at from public.contacts c"
        " join public.companies o on o.id = c.company_id",
    )


def _ids(conn: Conn, table: str) -> list[int]:
    return [row["id"] for row in records(conn, f"select id from public.{table}")]


def _compare(
    table: str,
    expected: dict[Any, Row],
    target: Conn,
    key: str = "id",
) -> list[str]:
    """The columns of the expectation, for every row there is; by a natural key, every live row."""
    columns = next(iter(expected.values()), {key: None}).keys()
    fields = ", ".join(f"t.{name}" for name in columns)
    where = "where t.deleted_at is null" if key != "id" else ""
    actual = records(target, f"select {fields} from public.{table} t {where}")
    return _twice(table, actual, key) + row_differences(table, expected, keyed(actual, key))


def _twice(label: str, found: list[Row], key: str) -> list[str]:
    counts = Counter(row[key] for row in found)
    return [f"{label}: {n} rows of {key} {value}" for value, n in counts.items() if n > 1]
