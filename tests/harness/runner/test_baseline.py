"""The baseline is exactly the catalog that was read off the real database, and deals_summary."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

ROOT = Path(__file__).parents[3]
QUERIES = Path(__file__).with_name("baseline_catalog.sql")
Catalog = dict[str, Any]


def recorded() -> Catalog:
    """The catalog file, and the view that it does not hold."""
    catalog: Catalog = json.loads((ROOT / "fixtures" / "baseline_catalog.json").read_text("utf-8"))
    deals = [[name, kind] for name, kind, *_ in catalog["tables"]["deals"]["columns"]]
    catalog["views"]["deals_summary"] = {
        "columns": [
            *deals,
            ["company_name", "text"],
            ["contact_names", "text[]"],
            ["nb_notes", "bigint"],
        ],
        "options": ["security_invoker=on"],
        "grants": catalog["views"]["companies_summary"]["grants"],
    }
    return catalog


def read_off(conn: psycopg.Connection[Any]) -> Catalog:
    """The catalog of a database in the file's form."""
    conn.execute("set search_path = public")
    asked = {name: _ask(conn, query) for name, query in _queries().items()}
    catalog: Catalog = {"schema": "public", "tables": {}, "views": {}}
    for relation in asked["relations"]:
        name = relation["name"]
        mine = {
            part: [row for row in asked[part] if row["relation"] == name]
            for part in ("columns", "constraints", "indexes", "policies", "grants")
        }
        grants = {row["role"]: row["privileges"] for row in mine["grants"]}
        columns = [row["declaration"] for row in mine["columns"]]
        if relation["kind"] == "v":
            options = relation["options"] or []
            catalog["views"][name] = {"columns": columns, "options": options, "grants": grants}
            continue
        catalog["tables"][name] = {
            "columns": columns,
            "constraints": {row["name"]: row["definition"] for row in mine["constraints"]},
            "indexes": {row["name"]: row["definition"] for row in mine["indexes"]},
            "row_level_security": relation["row_level_security"],
            "policies": {row["name"]: row["definition"] for row in mine["policies"]},
            "grants": grants,
        }
    catalog["functions"] = [row["name"] for row in asked["functions"]]
    catalog["triggers"] = [row["name"] for row in asked["triggers"]]
    return catalog


def differences(expected: Any, actual: Any, path: str = "catalog") -> list[str]:
    """Where two catalogs differ, by path."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = [f"{path}: {key} is missing" for key in expected.keys() - actual.keys()]
        found += [f"{path}: {key} is unexpected" for key in actual.keys() - expected.keys()]
        for key in expected.keys() & actual.keys():
            found += differences(expected[key], actual[key], f"{path}.{key}")
        return found
    return [] if expected == actual else [f"{path}: {actual!r}, expected {expected!r}"]


def baseline_differences(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        return differences(recorded(), read_off(conn))


def test_catalog_is_the_recorded_one(harness_baseline: str) -> None:
    assert baseline_differences(harness_baseline) == []


DEFECTS = {
    "a column more": (
        "alter table public.deals add extra text",
        "catalog.tables.deals.columns",
    ),
    "another default": (
        "alter table public.sales alter disabled set default true",
        "catalog.tables.sales.columns",
    ),
    "another delete rule": (
        """alter table public.tasks drop constraint tasks_contact_id_fkey,
        add constraint tasks_contact_id_fkey foreign key (contact_id)
        references public.contacts (id) on update cascade""",
        "catalog.tables.tasks.constraints.tasks_contact_id_fkey",
    ),
    "an index less": (
        "drop index public.uq__sales__user_id",
        "catalog.tables.sales.indexes: uq__sales__user_id is missing",
    ),
    "no row level security": (
        "alter table public.tags disable row level security",
        "catalog.tables.tags.row_level_security",
    ),
    "a policy for everybody": (
        'alter policy "Deals Delete Policy" on public.deals to public',
        "catalog.tables.deals.policies.Deals Delete Policy",
    ),
    "a privilege less": (
        "revoke truncate on public.contacts from anon",
        "catalog.tables.contacts.grants.anon",
    ),
    "a view that became safe": (
        "alter view public.contacts_summary set (security_invoker = on)",
        "catalog.views.contacts_summary.options",
    ),
    "a view more": ("create view public.more as select 1 as one", "more is unexpected"),
    "a function that lost its rights": (
        "alter function public.handle_new_user() security invoker",
        "catalog.functions",
    ),
    "a trigger less": ("drop trigger on_auth_user_updated on auth.users", "catalog.triggers"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_planted_difference_is_named(defect: str, harness_baseline: str) -> None:
    statement, named = DEFECTS[defect]
    with psycopg.connect(harness_baseline) as conn:
        conn.execute(statement)
    assert [line for line in baseline_differences(harness_baseline) if named in line]


def test_default_privileges_reach_what_comes_later(harness_baseline: str) -> None:
    with psycopg.connect(harness_baseline) as conn:
        conn.execute("create table public.later (id bigint generated by default as identity)")
        for role in ("anon", "authenticated", "service_role"):
            for what in (
                "has_table_privilege(%s, 'public.later', 'INSERT')",
                "has_sequence_privilege(%s, 'public.later_id_seq', 'USAGE')",
            ):
                assert conn.execute(f"select {what}", [role]).fetchone() == (True,)


def test_service_role_bypasses_row_level_security(harness_baseline: str) -> None:
    with psycopg.connect(harness_baseline) as conn:
        query = (
            "select rolname, rolbypassrls, rolsuper from pg_roles"
            " where rolname in ('anon', 'authenticated', 'service_role') order by 1"
        )
        assert conn.execute(query).fetchall() == [
            ("anon", False, False),
            ("authenticated", False, False),
            ("service_role", True, False),
        ]


def test_first_user_becomes_administrator(harness_baseline: str) -> None:
    users = [(f"00000000-0000-0000-0000-00000000000{n}", f"{n}@crm.example") for n in (1, 2)]
    with psycopg.connect(harness_baseline) as conn:
        assert conn.execute("select is_initialized from public.init_state").fetchone() == (0,)
        for key, email in users:
            conn.execute(
                "insert into auth.users (id, email, raw_user_meta_data) values"
                """ (%s, %s, '{"first_name": "Ada", "last_name": "L"}')""",
                [key, email],
            )
        conn.execute("update auth.users set email = 'new@crm.example' where id = %s", [users[1][0]])
        found = conn.execute(
            "select email, administrator, first_name from public.sales order by id"
        )
        assert found.fetchall() == [
            ("1@crm.example", True, "Ada"),
            ("new@crm.example", False, "Ada"),
        ]
        assert conn.execute("select is_initialized from public.init_state").fetchone() == (1,)


def test_summary_counts_and_names(harness_baseline: str) -> None:
    with psycopg.connect(harness_baseline) as conn:
        conn.execute(
            """
            insert into public.companies (id, name) values (1, 'Acme');
            insert into public.contacts (id, first_name, last_name, company_id, email_jsonb)
            values (1, 'Ada', 'L', 1, '[{"email": "a@x.example"}, {"email": "b@x.example"}]'),
                   (2, 'Bob', 'M', 1, null);
            insert into public.tasks (contact_id, due_date) values (1, now()), (1, now());
            insert into public.deals (id, name, stage, company_id, contact_ids)
            values (1, 'One', 'won', 1, '{2, 99, 1}'), (2, 'Two', 'won', null, null);
            insert into public."dealNotes" (deal_id, text) values (1, 'x'), (1, 'y');
            """
        )

        def ask(query: str) -> list[tuple[Any, ...]]:
            return conn.execute(query).fetchall()

        assert ask("select nb_deals, nb_contacts from public.companies_summary") == [(1, 2)]
        assert ask(
            "select company_name, contact_names, nb_notes from public.deals_summary order by id"
        ) == [("Acme", ["Bob M", "Ada L"], 2), (None, ask_empty(conn), 0)]
        emails = ask(
            "select email_fts, nb_tasks, company_name from public.contacts_summary order by id"
        )
        assert "a@x.example" in emails[0][0]
        assert "b@x.example" in emails[0][0]
        assert [row[1:] for row in emails] == [(2, "Acme"), (0, "Acme")]


def ask_empty(conn: psycopg.Connection[Any]) -> Any:
    """What deals_summary says of a deal without contacts: nothing or an empty list."""
    row = conn.execute("select contact_names from public.deals_summary where id = 2").fetchone()
    assert row is not None
    assert row[0] in (None, [])
    return row[0]


def _queries() -> dict[str, str]:
    parts = re.split(r"^-- name: (\S+)\n", QUERIES.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _ask(conn: psycopg.Connection[Any], query: str) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()
