"""What operators added to the old schema is found again, on what took its place."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .queries import named
from .support import Conn, Pair, records

_FILE = Path(__file__).with_name("decorated.sql")
SQL = named(_FILE)
HASH = hashlib.sha256(_FILE.read_bytes()).hexdigest()[:12]
SUCCESSORS = {
    "deals": ("opportunities", "deals"),
    "dealNotes": ("opportunityNotes", "dealNotes"),
    "deals_summary": ("deals_summary", "opportunities_summary"),
    "companies_summary": ("companies_summary",),
    "contacts_summary": ("contacts_summary",),
    "deals_id_seq": ("opportunities_id_seq",),
    "companies": ("companies",),
    "contacts": ("contacts",),
}
DEPRECATED = ("deals", "dealNotes", "deals_summary")
FACTS = """
select c.relname as relation, a.attname as name,
  pg_catalog.pg_get_userbyid(c.relowner) as owner,
  pg_catalog.obj_description(c.oid, 'pg_class') as comment,
  pg_catalog.col_description(c.oid, a.attnum) as column_comment,
  c.relacl::text as acl, a.attacl::text as column_acl
from pg_catalog.pg_class c
left join pg_catalog.pg_attribute a
  on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind <> 'S'
where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'v', 'S')
"""
INDEXES = """
select replace(replace(pg_catalog.pg_get_indexdef(indexrelid), 'opportunities', 'deals'),
  'opportunityNotes', 'dealNotes') as definition
from pg_catalog.pg_index where indrelid = any (%s::pg_catalog.regclass[])
"""


def check_decorations(pair: Pair) -> list[str]:
    """Owners, comments and grants, those of columns too, are those of what was there before."""
    before, after = _facts(pair.source), _facts(pair.target)
    found = []
    for old, successors in SUCCESSORS.items():
        for (relation, name), fact in before.items():
            if relation != old:
                continue
            for new in successors:
                found += _differences(f"{new}.{name}", new, fact, after.get((new, name)))
    return found


def _differences(
    label: str, relation: str, old: dict[str, object], new: dict[str, object] | None
) -> list[str]:
    if new is None:
        return [] if label.endswith(".deal_id") else [f"{label} is missing"]
    skipped = {"relation", "name"} | ({"comment"} if relation in DEPRECATED else set())
    return [
        f"{key} of {label} is {new[key]!r}, was {value!r}"
        for key, value in old.items()
        if key not in skipped and new[key] != value
    ]


def _facts(conn: Conn) -> dict[tuple[str, str | None], dict[str, object]]:
    return {(row["relation"], row["name"]): row for row in records(conn, FACTS)}
