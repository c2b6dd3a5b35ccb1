"""Views: their columns in order, their options, their comments, and what they say of every row."""

from __future__ import annotations

from pathlib import Path

from ..queries import named
from ..support import Pair, keyed, records, row_differences, scalar, set_differences, table_text
from . import specification
from .mapping import stage_of

SHAPE = named(Path(__file__).with_name("shape.sql"))
DEPRECATED = {  # and what is used instead
    "deals": "public.opportunities",
    "dealNotes": 'public."opportunityNotes"',
    "deals_summary": "public.opportunities_summary",
}
OPEN = {"init_state"}  # readable before sign-in, on purpose


def check_view_columns(pair: Pair) -> list[str]:
    """Each view has its columns, of their types, in their order."""
    actual = _columns(pair)
    found = []
    for view, spec in specification.target()["views"].items():
        old = (
            specification.baseline()["tables"].get(spec["old"])
            or specification.baseline()["views"][spec["old"]]
        )
        expected = [f"{name} {kind}" for name, kind, *_ in old["columns"]]
        expected += [specification.declaration(text) for text in spec["then"]]
        if actual.get(view) != expected:
            found.append(f"view {view} has columns {actual.get(view)}, expected {expected}")
    return found


def check_opportunities_summary_columns(pair: Pair) -> list[str]:
    """opportunities_summary shows all but the backups and search_tsv, then its three own."""
    actual = _columns(pair).get("opportunities_summary", [])
    table = specification.declarations()["opportunities"]
    hidden = {"company_id_backup", "stage_backup", "search_tsv"}
    expected = [name for name in table if name not in hidden]
    own = ["company_name text", "contact_names text[]", "nb_notes bigint"]
    found = set_differences(
        "columns of opportunities_summary", expected, [text.split()[0] for text in actual[:-3]]
    )
    if actual[-3:] != own:
        found.append(f"opportunities_summary ends with {actual[-3:]}, expected {own}")
    return found


def check_views_are_security_invoker(pair: Pair) -> list[str]:
    """Every view reads with the rights of who asks, parked ones too; init_state alone does not."""
    query = (
        "select c.relname, coalesce(c.reloptions::text, '') as options from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm')"
        " and (n.nspname = 'public' or n.nspname = 'migration_control'"
        " and c.relname in (select name from migration_control.parked))"
    )
    return [
        f"view {row['relname']} is not security_invoker"
        for row in records(pair.target, query)
        if row["relname"] not in OPEN
        and not any(f"security_invoker={word}" in row["options"] for word in ("on", "true"))
    ]


def check_deprecation_comments(pair: Pair) -> list[str]:
    """The compatibility views say that they are deprecated, until when, and for what."""
    found = []
    for view, successor in DEPRECATED.items():
        comment = scalar(
            pair.target,
            "select pg_catalog.obj_description(%s::pg_catalog.regclass, 'pg_class')",
            [f'public."{view}"'],
        )
        if "deprecated" not in str(comment).lower():
            found.append(f"comment of {view} does not say deprecated: {comment!r}")
        if f"{successor};" not in str(comment):
            found.append(f"comment of {view} does not name {successor}: {comment!r}")
        if not str(comment).endswith("2026-12-31"):
            found.append(f"comment of {view} does not say the sunset date: {comment!r}")
    return found


def check_summaries_answer_as_before(pair: Pair) -> list[str]:
    """Every row of the old summary views reads as it did, in its old columns."""
    found = []
    for view in ("companies_summary", "contacts_summary"):
        columns = specification.old_columns(view)
        found += row_differences(
            view, table_text(pair.source, view, columns), table_text(pair.target, view, columns)
        )
    columns = [*specification.old_columns("deals"), "company_name", "contact_names", "nb_notes"]
    return found + row_differences(
        "deals_summary",
        table_text(pair.source, "deals_summary", columns),
        table_text(pair.target, "deals_summary", columns),
    )


def check_compatibility_views_answer_as_before(pair: Pair) -> list[str]:
    """Every deal and deal note reads through its view as it did from its table."""
    found = []
    for name in ("deals", "dealNotes"):
        columns = specification.old_columns(name)
        found += row_differences(
            name, table_text(pair.source, name, columns), table_text(pair.target, name, columns)
        )
    return found


def check_new_counts(pair: Pair) -> list[str]:
    """nb_opportunities counts a company's deals, nb_organizations a contact's companies."""
    deals = records(pair.source, "select id, nb_deals as n from public.companies_summary")
    found = row_differences(
        "companies_summary.nb_opportunities",
        keyed(deals),
        keyed(
            records(pair.target, "select id, nb_opportunities as n from public.companies_summary")
        ),
    )
    contacts = records(
        pair.source, "select id, (company_id is not null)::int::bigint as n from public.contacts"
    )
    return found + row_differences(
        "contacts_summary.nb_organizations",
        keyed(contacts),
        keyed(
            records(pair.target, "select id, nb_organizations as n from public.contacts_summary")
        ),
    )


def check_opportunities_summary_rows(pair: Pair) -> list[str]:
    """opportunities_summary says of each opportunity what deals_summary said of the deal."""
    fields = "id, company_name, contact_names, nb_notes, name, amount, stage"
    expected = keyed(records(pair.source, f"select {fields} from public.deals_summary"))
    for row in expected.values():
        row["stage"] = stage_of(row["stage"])
    actual = keyed(records(pair.target, f"select {fields} from public.opportunities_summary"))
    return row_differences("opportunities_summary", expected, actual)


def _columns(pair: Pair) -> dict[str, list[str]]:
    pair.target.execute("SET search_path = public")
    views: dict[str, list[str]] = {}
    for row in records(pair.target, SHAPE["columns"]):
        if row["kind"] == "v":
            views.setdefault(row["relation"], []).append(f"{row['name']} {row['type']}")
    pair.target.execute("SET search_path = ''")
    return views
