"""What the seed's tests ask a database: what a strict validator checks, and content digests."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import psycopg

from fixtures.tables import TABLES, Table

Connection = psycopg.Connection[Any]
URL = r"'^https?://[a-z0-9.-]+\.[a-z]{2,}(/\S*)?$'"
MAIL = r"'^[a-z0-9._-]+@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$'"
PHONE = r"'^\+[1-9][0-9]{7,14}$'"
FROM, UNTIL = "'2021-01-01'", "'2026-11-01'"

# table: {what is wrong: condition on its row t}; a condition that is NULL counts as wrong too.
CHECKS: dict[str, dict[str, str]] = {
    "companies": {
        "name": "name <> btrim(name) OR name = ''",
        "duplicate name": """id IN (SELECT id FROM (SELECT id,
            count(*) OVER (PARTITION BY lower(name)) AS same FROM companies) o WHERE same > 1)""",
        "website": f"website !~ {URL}",
        "phone": f"phone_number !~ {PHONE}",
        "size": "size NOT IN (1, 10, 50, 250, 500)",
        "sector": """sector <> ALL ('{Communication Services,Consumer Discretionary,
            Consumer Staples,Energy,Financials,Health Care,Industrials,
            Information Technology,Materials,Real Estate,Utilities}')""",
        "owner": "sales_id IS NULL",
        "created": f"created_at NOT BETWEEN {FROM} AND {UNTIL}",
        "links": f"""context_links IS NOT NULL AND NOT (json_typeof(context_links) = 'array' AND
            (SELECT bool_and(link ~ {URL}) FROM json_array_elements_text(
                CASE json_typeof(context_links) WHEN 'array' THEN context_links END) link))""",
    },
    "contacts": {
        "name": """first_name <> btrim(first_name) OR first_name = ''
            OR last_name <> btrim(last_name) OR last_name = ''""",
        "company": "company_id IS NULL",
        "owner": "sales_id IS NULL",
        "mail": f"""jsonb_typeof(email_jsonb) <> 'array' OR (SELECT count(*) = 0
            OR NOT bool_and(coalesce(mail ->> 'email' ~ {MAIL}
                AND mail ->> 'type' IN ('Work', 'Home', 'Other'), false))
            FROM jsonb_array_elements(
                CASE jsonb_typeof(email_jsonb) WHEN 'array' THEN email_jsonb END) mail)""",
        "duplicate mail": """EXISTS (SELECT FROM addresses a JOIN addresses b USING (email)
            WHERE a.id = t.id AND b.id <> t.id)""",
        "phone": f"""jsonb_typeof(phone_jsonb) <> 'array' OR (SELECT count(*) = 0
            OR NOT bool_and(coalesce(phone ->> 'number' ~ {PHONE}, false))
            FROM jsonb_array_elements(
                CASE jsonb_typeof(phone_jsonb) WHEN 'array' THEN phone_jsonb END) phone)""",
        "seen": f"""last_seen < first_seen OR first_seen NOT BETWEEN {FROM} AND {UNTIL}
            OR last_seen NOT BETWEEN {FROM} AND {UNTIL}""",
        "seen before the company": """company_id IS NOT NULL AND first_seen <
            (SELECT created_at FROM companies c WHERE c.id = t.company_id)""",
        "status": "status NOT IN ('cold', 'warm', 'hot', 'in-contract')",
        "gender": "gender NOT IN ('male', 'female', 'nonbinary')",
        "tags": "NOT tags <@ (SELECT array_agg(id) FROM tags)",
        "newsletter": "has_newsletter IS NULL",
    },
    "deals": {
        "name": "name <> btrim(name) OR name = ''",
        "stage": """stage NOT IN ('opportunity', 'proposal-sent', 'in-negociation', 'won', 'lost',
            'delayed')""",
        "category": """category NOT IN ('Other', 'Copywriting', 'Print project', 'UI Design',
            'Website design')""",
        "company": "company_id IS NULL",
        "contacts": """coalesce(cardinality(contact_ids), 0) = 0 OR EXISTS (
            SELECT FROM unnest(contact_ids) i LEFT JOIN contacts c ON c.id = i
            WHERE c.id IS NULL)""",
        "amount": "amount IS NULL OR amount NOT BETWEEN 1 AND 2147483647",
        "created": f"created_at NOT BETWEEN {FROM} AND {UNTIL}",
        "updated": f"updated_at < created_at OR updated_at > {UNTIL}",
        "archived": f"archived_at IS NOT NULL AND NOT archived_at BETWEEN updated_at AND {UNTIL}",
        "closing": """expected_closing_date IS NULL OR expected_closing_date < created_at
            OR expected_closing_date > '2028-01-01'""",
        "place": "index IS NULL OR index < 0",
        "owner": "sales_id IS NULL",
    },
    "contactNotes": {
        "text": "btrim(text) = '' OR length(text) > 20000",
        "date": f"date NOT BETWEEN {FROM} AND {UNTIL}",
        "date before the contact": """date < (
            SELECT first_seen FROM contacts c WHERE c.id = contact_id)""",
        "status": "status NOT IN ('cold', 'warm', 'hot', 'in-contract')",
        "files": """attachments IS NOT NULL AND EXISTS (SELECT FROM unnest(attachments) f WHERE
            f IS NULL OR NOT f ?& '{src,title,path,type}')""",
        "owner": "sales_id IS NULL",
    },
    "dealNotes": {
        "text": "btrim(text) = '' OR length(text) > 20000",
        "type": "type IS NULL OR type = ''",
        "date": f"date NOT BETWEEN {FROM} AND {UNTIL}",
        "date before the deal": "date < (SELECT created_at FROM deals d WHERE d.id = deal_id)",
        "files": """attachments IS NOT NULL AND EXISTS (SELECT FROM unnest(attachments) f WHERE
            f IS NULL OR NOT f ?& '{src,title,path,type}')""",
        "owner": "sales_id IS NULL",
    },
    "tasks": {
        "type": """type NOT IN ('None', 'Email', 'Demo', 'Lunch', 'Meeting', 'Follow-up',
            'Thank you', 'Ship', 'Call')""",
        "text": "btrim(text) = ''",
        "due": "due_date NOT BETWEEN '2021-01-01' AND '2028-01-01'",
        "done": f"done_date IS NOT NULL AND NOT done_date BETWEEN {FROM} AND {UNTIL}",
        "owner": "sales_id NOT IN (SELECT id FROM sales)",
    },
}
# Whose first half is wrong when its second is: not a kind of its own in the profile.
FOLLOWS = {"seen before the company", "date before the contact", "date before the deal"}


def wrong(conn: Connection) -> dict[str, dict[str, set[int]]]:
    """Ids of wrong rows by table and check."""
    conn.execute("SET search_path = public")
    conn.execute(
        "CREATE TEMP TABLE IF NOT EXISTS addresses AS"
        " SELECT id, lower(mail ->> 'email') AS email FROM contacts, jsonb_array_elements("
        " CASE jsonb_typeof(email_jsonb) WHEN 'array' THEN email_jsonb END) mail"
    )
    conn.execute("CREATE INDEX IF NOT EXISTS addresses_email ON addresses (email)")
    conn.execute("ANALYZE addresses")
    return {
        table: {
            check: {
                row[0]
                for row in conn.execute(
                    f'SELECT id FROM "{table}" t WHERE coalesce({condition}, true)'
                )
            }
            for check, condition in checks.items()
        }
        for table, checks in CHECKS.items()
    }


def digests(dsn: str) -> dict[str, str]:
    """The text of all rows of each table, in one hash each, and where the sequences stand."""
    with psycopg.connect(dsn) as conn:
        conn.execute("SET timezone = 'UTC'")
        return {str(table): _digest(conn, table) for table in TABLES}


def _digest(conn: Connection, table: Table) -> str:
    query = f"SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM {table.quoted} t"
    sequence = conn.execute(
        "SELECT pg_get_serial_sequence(%s, 'id')"
        " WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = %s::regclass"
        " AND attname = 'id' AND attidentity <> '')",
        (table.quoted, table.quoted),
    ).fetchone()
    text = str(scalar(conn, query))
    if sequence is None:
        return text
    return f"{text} {scalar(conn, f'SELECT (last_value, is_called) FROM {sequence[0]}')}"


def scalar(conn: Connection, query: str, *params: Any) -> Any:
    """The first column of the first row."""
    row = conn.execute(query, params or None).fetchone()
    assert row is not None
    return row[0]


def in_another_process(code: str, *args: str, hash_seed: str = "random") -> Any:
    """Run `code` in a fresh interpreter; it prints JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
        timeout=300,
    )
    return json.loads(done.stdout)
