"""A step and a user who is at work: the step waits, holds nothing later, and loses nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg

from harness.core.poll import wait_until
from harness.plan import Script

from .support import Conn, column, connected, scalar

# pg_stat_activity would say the same for as long as the transaction of who asks lasts.
WAITING = """
select count(*) from pg_catalog.pg_locks w
where not w.granted and w.pid in (
  select l.pid from pg_catalog.pg_locks l
  join pg_catalog.pg_database d on d.oid = l.database
  where l.locktype = 'relation' and d.datname = current_database()
)
"""
ORDER = (
    "companies",
    "contacts",
    "deals",
    "opportunities",
    "dealNotes",
    "opportunityNotes",
    "tasks",
    "sales",
    "activities",
)
"""The order in which transactions of the application write tables."""


def wait_for(conn: Conn, pending: Future[Any]) -> None:
    """Until the other waits for what `conn` has locked, or has come through without waiting."""
    wait_until(lambda: scalar(conn, WAITING) > 0 or pending.done(), 60, "the other", 0.002)


def deadlock(dsn: str, run: Callable[[], object], held: str) -> list[str]:
    """Let a run wait for a user who holds a table, and who then writes the tables that come later.

    A run that took a later table first would make the user wait too, until the deadlock detector
    ends one of them.
    """
    with connected(dsn) as user, ThreadPoolExecutor(1) as thread:
        user.execute("set lock_timeout = '300ms'")
        with user.transaction(force_rollback=True):
            user.execute(f'lock table public."{held}" in row exclusive mode')
            pending = thread.submit(run)
            wait_for(user, pending)
            for name in _later(user, held):
                try:
                    with user.transaction():
                        user.execute(f'lock table public."{name}" in row exclusive mode')
                except psycopg.errors.LockNotAvailable:
                    return [f"the run holds {name} while it waits for {held}: users would deadlock"]
    return []


FIRST_ROW = "where id = (select min(id) from public.{0}) returning id"
LATE: dict[str, dict[str, str]] = {
    "1.1/040_companies_columns": {
        "companies": f"update public.{{0}} set segment = 'late' {FIRST_ROW}",
    },
    "1.1/050_contacts_columns": {
        "contacts": f"update public.{{0}} set department = 'late' {FIRST_ROW}",
    },
    "1.1/210_swap": {
        "opportunities": f"update public.{{0}} set competition = 'late' {FIRST_ROW}",
    },
    "1.2/040_access": {
        "contact_organizations": """
            insert into public.{0} (contact_id, organization_id, notes)
            select c.id, o.id, 'late' from public.contacts c, public.companies o
            where o.id is distinct from c.company_id order by 1, 2 limit 1 returning id""",
        "contact_preferred_principals": """
            insert into public.{0} (contact_id, principal_organization_id)
            select min(c.id), (select max(id) from public.companies)
            from public.contacts c returning id""",
    },
    "1.3/040_access": {
        "opportunity_participants": """
            insert into public.{0} (opportunity_id, organization_id, role)
            select min(o.id), (select min(id) from public.companies), 'competitor'
            from public.opportunities o returning id""",
        "opportunity_products": """
            insert into public.{0} (opportunity_id, product_name)
            select min(id), 'late' from public.opportunities returning id""",
    },
    "1.4/070_access": {
        "activities": """
            insert into public.{0} (activity_type, type, subject, contact_id)
            select 'engagement', 'call', 'late', min(id) from public.contacts returning id""",
        # an insert would lock its activity as well
        "interaction_participants": f"update public.{{0}} set notes = 'late' {FIRST_ROW}",
    },
}
"""By step: the tables whose rows its way back archives, and a write of a user to each."""
FIRST_OF_ALL = {  # what such a write needs
    "contact_preferred_principals": "update public.companies set is_principal = true"
    " where id = (select max(id) from public.companies)",
}


def late_write(dsn: str, run: Callable[[str], object], table: str, statement: str) -> list[str]:
    """A user has written and not committed when the way back comes: it must wait, and archive."""
    with connected(dsn) as user, ThreadPoolExecutor(1) as thread:
        if table in FIRST_OF_ALL:
            user.execute(FIRST_OF_ALL[table])
        with user.transaction():
            key = scalar(user, statement.format(table))
            pending = thread.submit(run, dsn)
            wait_for(user, pending)
        pending.result()
        name = f"migration_archive.{table}"
        there = scalar(user, "select to_regclass(%s) is not null", [name])
        held = scalar(user, f"select count(*) from {name} where id = %s", [key]) if there else 0
    return [] if held == 1 else [f"{table} {key}, written late, is {held} times in the archive"]


def locked(script: Script) -> list[str]:
    """The tables that a script locks or alters, in the order in which users write them."""
    locking = ("LockStmt", "AlterTableStmt")
    text = " ".join(s.text.lower() for s in script.statements if s.tag in locking)
    return [name for name in ORDER if re.search(rf'public\."?{name.lower()}\b', text)]


def _later(conn: Conn, held: str) -> list[str]:
    there = column(
        conn,
        "select relname from pg_catalog.pg_class where relkind = 'r'"
        " and relnamespace = 'public'::pg_catalog.regnamespace",
    )
    return [name for name in ORDER[ORDER.index(held) + 1 :] if name in there]
