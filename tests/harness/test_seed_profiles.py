"""What each profile promises, each promise with a profile that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import psycopg
import pytest
from seed_support import CHECKS, FOLLOWS, scalar, wrong

from fixtures.flaws import FLAWS
from fixtures.vocabulary import NEW_STAGES
from harness.database import admin, template
from harness.plugin import TemplateFactory
from harness.server import Server

ROWS = 10_000
HOSTILE = {  # what baseline.md lists under real rows, by table: a condition that finds it
    "companies": {
        "emoji": "name ~ '[\U0001f600-\U0001f6ff]'",
        "leading blanks": "name LIKE ' %'",
        "JSON exact to the digit": "context_links::text LIKE '%1.00%'",
        "JSON key twice": """context_links::text LIKE '{"a"%"a"%'""",
        "JSONB number exact to the digit": "logo ->> 'width' = '1.00'",
        "date in 1970": "created_at = '1970-01-01 00:00:00+00'",
    },
    "contacts": {
        "right to left": "first_name ~ '[\u0590-\u06ff]' AND first_name ~ ','",
        "trailing blanks": "last_name LIKE '% '",
        "the end of COPY": "title = chr(92) || '.'",
        "the text of NULL": "title = chr(92) || 'N'",
        "duplicate mails": """id IN (SELECT id FROM (SELECT id,
            count(*) OVER (PARTITION BY email_jsonb) AS same FROM contacts
            WHERE jsonb_array_length(jsonb_path_query_array(email_jsonb, '$[*].email')) > 0) o
            WHERE same > 1)""",
        "mails as an object": "email_jsonb ? 'email'",
        "mails with a null": "email_jsonb = '[null]'",
        "mail without address": """email_jsonb = '[{"type": "Work"}]'""",
        "mails {}": "email_jsonb = '{}'",
        "mails []": "email_jsonb = '[]'",
        "mails JSON null": "email_jsonb = 'null'",
        "mails NULL": "email_jsonb IS NULL",
        "dangling tag": "NOT tags <@ (SELECT array_agg(id) FROM tags)",
        "no company": "company_id IS NULL",
    },
    "deals": {
        "quotes": "name LIKE '%''%' AND name LIKE '%\"%'",
        "backslashes": "strpos(name, chr(92)) > 0",
        "date in 2999": "updated_at > '2999-01-01'",
        "amount 0": "amount = 0",
        "negative amount": "amount < 0",
        "amount beyond 2^31": "amount > 2147483648",
        "no amount": "amount IS NULL",
        "contact list NULL": "contact_ids IS NULL",
        "contact list empty": "contact_ids = '{}'",
        "contact list with NULL": "array_position(contact_ids, NULL) > 0",
        "contact twice": "contact_ids = '{1,1,1}'",
        "dangling contact": """EXISTS (SELECT FROM unnest(contact_ids) i
            LEFT JOIN contacts c ON c.id = i WHERE i > 0 AND c.id IS NULL)""",
        "no company": "company_id IS NULL",
        "unknown stage": "stage = 'On Hold '",
        "blank stage": "stage = ''",
        "extreme smallint": "index = -32768",
    }
    | {f"stage {label} of the new schema": f"stage = '{label}'" for label in NEW_STAGES},
    "contactNotes": {
        "text out of line": "pg_column_size(text) > 50000",
        "attachment NULL": "array_position(attachments, NULL) > 0",
        "attachment {}": "'{}' = ANY (attachments)",
        "attachments NULL": "attachments IS NULL",
    },
    "dealNotes": {"100 kB": "octet_length(text) > 100000"},
    "tasks": {
        "tabs": "strpos(text, chr(9)) > 0",
        "carriage returns": "strpos(text, chr(13)) > 0",
        "type NULL": "type IS NULL",
        "type None": "type = 'None'",
        "unknown type": "type = 'Fax'",
        "dangling colleague": "sales_id NOT IN (SELECT id FROM sales)",
    },
}
HOSTILE_ONLY = {("dealNotes", "type"), ("deals", "created")}


ProfileOf = Callable[[str], psycopg.Connection[Any]]
Wrong = dict[str, dict[str, set[int]]]


@pytest.fixture(scope="module")
def profile_of(harness_server: Server, harness_template: TemplateFactory) -> Iterator[ProfileOf]:
    """Return a factory: profile_of(name) -> a connection to 10,000 rows of that profile."""
    made: dict[str, tuple[str, psycopg.Connection[Any]]] = {}

    def make(profile: str) -> psycopg.Connection[Any]:
        if profile not in made:
            dsn = template.clone(
                harness_server.dsn(), harness_template(rows=ROWS, seed=1, profile=profile)
            )
            made[profile] = dsn, psycopg.connect(dsn, autocommit=True)
        return made[profile][1]

    yield make
    for dsn, conn in made.values():
        conn.close()
        admin.drop(harness_server.dsn(), admin.dbname(dsn))


@pytest.fixture(scope="module")
def wrong_in(profile_of: ProfileOf) -> Callable[[str], Wrong]:
    """Return a factory: wrong_in(profile) -> ids of wrong rows by table and check."""
    return cache(lambda profile: wrong(profile_of(profile)))


def test_a_strict_validator_finds_nothing_in_clean_and_everything_elsewhere(wrong_in):
    clean, real, hostile = map(wrong_in, ("clean", "real", "hostile"))
    for table, checks in CHECKS.items():
        for check in checks:
            assert not clean[table][check], f"{table}: {check}"
            assert hostile[table][check], f"{table}: {check} finds nothing even in hostile rows"
            if check not in FOLLOWS and (table, check) not in HOSTILE_ONLY:
                assert real[table][check], f"{table}: {check} finds nothing in real rows"


def test_clean_leaves_nothing_out_that_the_application_expects(profile_of):
    empty = """
        SELECT key, count(*) FROM {} t, jsonb_each(to_jsonb(t)) WHERE value = 'null' GROUP BY key
    """
    missing = {
        (table, column)
        for table in CHECKS
        for column, _ in profile_of("clean").execute(empty.format(f'"{table}"'))
    }
    assert missing == {("deals", "archived_at"), ("tasks", "done_date")}


def test_one_to_two_percent_of_real_rows_are_wrong(wrong_in):
    for profile, low, high in (("real", 0.01, 0.02), ("clean", 0, 0), ("hostile", 0.6, 1)):
        found = wrong_in(profile)
        rows = {
            (table, n) for table, checks in found.items() for ids in checks.values() for n in ids
        }
        assert low <= len(rows) / ROWS <= high, profile


def test_ten_thousand_rows_show_every_kind_of_flaw():
    kinds = {str(table): len(flaws) for table, flaws in FLAWS["real"].items()}
    least = {"companies": 1500, "contacts": 4000, "deals": 2500, "contactNotes": 900}
    for table, rows in (least | {"dealNotes": 600, "tasks": 500}).items():
        assert kinds[table] <= rows // 89 + 1, table


@pytest.mark.parametrize("table", HOSTILE)
def test_hostile_rows_hold_all_that_real_databases_do_and_clean_ones_none(profile_of, table):
    hostile, clean = profile_of("hostile"), profile_of("clean")
    for kind, condition in HOSTILE[table].items():
        query = f'SELECT count(*) FROM "{table}" t WHERE {condition}'
        assert scalar(hostile, query) > 0, kind
        assert scalar(clean, query) == 0, f"{kind}: the condition would find it anywhere"


def test_real_rows_are_skewed(profile_of):
    conn = profile_of("real")
    share = """
        WITH n AS (SELECT count(d.id) AS deals FROM companies c LEFT JOIN deals d
            ON d.company_id = c.id GROUP BY c.id)
        SELECT (SELECT sum(deals) FROM (SELECT deals FROM n ORDER BY deals DESC LIMIT
            (SELECT count(*) / 10 FROM n)) top)::float8 / (SELECT sum(deals) FROM n),
            (SELECT count(*) FROM n WHERE deals = 0)::float8 / (SELECT count(*) FROM n)
    """
    top_tenth, without = conn.execute(share).fetchone()
    assert 0.4 < top_tenth < 0.9, "an even spread gives about 0.2"
    assert without > 0.2
    shortest, longest = conn.execute(
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY length(text)), max(length(text))"
        ' FROM "contactNotes" WHERE length(text) < 20000'
    ).fetchone()
    assert shortest < 400
    assert longest > 10 * shortest


@pytest.mark.parametrize("profile", ["real", "clean"])
def test_every_known_value_occurs(profile_of, profile):
    conn = profile_of(profile)
    for query, values in {
        "SELECT count(DISTINCT stage) FROM deals WHERE stage IN ('opportunity', 'proposal-sent',"
        " 'in-negociation', 'won', 'lost', 'delayed')": 6,
        "SELECT count(DISTINCT category) FROM deals WHERE category IN ('Other', 'Copywriting',"
        " 'Print project', 'UI Design', 'Website design')": 5,
        "SELECT count(DISTINCT type) FROM tasks WHERE type IN ('Email', 'Demo', 'Lunch',"
        " 'Meeting', 'Follow-up', 'Thank you', 'Ship', 'Call')": 8,
        "SELECT count(DISTINCT status) FROM contacts WHERE status IN ('cold', 'warm', 'hot',"
        " 'in-contract')": 4,
        "SELECT count(DISTINCT gender) FROM contacts WHERE gender IN ('male', 'female',"
        " 'nonbinary')": 3,
    }.items():
        assert scalar(conn, query) == values


def test_ids_have_gaps_as_deletions_leave_them(profile_of):
    gap = "SELECT max(id) - count(*) FROM contacts"
    assert scalar(profile_of("real"), gap) > 0
    assert scalar(profile_of("clean"), gap) == 0


def test_a_deal_and_its_contacts_share_a_company(profile_of):
    strangers = """
        SELECT count(*) FROM deals d JOIN contacts c ON c.id = ANY (d.contact_ids)
        WHERE c.company_id <> d.company_id
    """
    assert scalar(profile_of("clean"), strangers) == 0
    assert scalar(profile_of("hostile"), strangers) > 0
