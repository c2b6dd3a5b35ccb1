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
    "dealNotes_id_seq": ("opportunityNotes_id_seq",),
    **{
        name: (name,)
        for relation in ("sales", "tags", "tasks", "contactNotes")
        for name in (relation, f"{relation}_id_seq")
    },
    **{f"{relation}_id_seq": (f"{relation}_id_seq",) for relation in ("companies", "contacts")},
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
BELONGINGS = """
select 'constraint', conname from pg_catalog.pg_constraint where conrelid = any (%(of)s::regclass[])
union all
select 'index', c.relname from pg_catalog.pg_index x join pg_catalog.pg_class c
  on c.oid = x.indexrelid where x.indrelid = any (%(of)s::regclass[])
union all
select 'policy', polname from pg_catalog.pg_policy where polrelid = any (%(of)s::regclass[])
union all
select 'trigger', tgname from pg_catalog.pg_trigger
  where tgrelid = any (%(of)s::regclass[]) and not tgisinternal
union all
select 'sequence', s.relname from pg_catalog.pg_depend d
  join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
  where d.refobjid = any (%(of)s::regclass[]) and d.deptype = 'i'
union all
select 'statistics', stxname from pg_catalog.pg_statistic_ext
  where stxrelid = any (%(of)s::regclass[])
"""
OLD = ["public.deals", 'public."dealNotes"']
NEW = ["public.opportunities", 'public."opportunityNotes"']
OTHERS = [
    *("public.companies", "public.contacts", 'public."contactNotes"', "public.tasks"),
    "public.tags",
]
LONG = "opportunities_of_a_name_as_long_as_a_name_may_be_and_longer_sti"  # as long as may be
NUMBERED = {  # names that were taken: two, and one that has no room for a number
    "opportunities_created_idx": "opportunities_created_idx_2",
    LONG: f"{LONG[:58]}_1",
}
GONE = {  # of Postgres 18; the backup may be null
    ("constraint", "opportunities_stage_not_null"),
    ("constraint", "stage_of_opportunity"),
}


def check_names(pair: Pair) -> list[str]:
    """Whatever hangs on a renamed table, an operator's things too, has its successor's name.

    What hangs on another table has the name that it had.
    """
    before = pair.source.execute(BELONGINGS, {"of": OLD}).fetchall()
    after = set(pair.target.execute(BELONGINGS, {"of": NEW}).fetchall())
    expected = {(kind, _successor(name)) for kind, name in before} - GONE
    kept = set(pair.source.execute(BELONGINGS, {"of": OTHERS}).fetchall())
    missing = expected - after | kept - set(
        pair.target.execute(BELONGINGS, {"of": OTHERS}).fetchall()
    )
    return [f"{kind} {name} is missing" for kind, name in sorted(missing)]


def _successor(name: str) -> str:
    for old, new in (("deals", "opportunities"), ("deal", "opportunity")):
        for spelling in (str, str.capitalize, str.upper):
            name = name.replace(spelling(old), spelling(new))
    name = name[:63]
    return NUMBERED.get(name, name)


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
