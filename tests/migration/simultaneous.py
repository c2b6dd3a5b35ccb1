"""Two at the same moment: a lost update that must not be, and a step that must not deadlock."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg

from harness.plan import Script
from harness.poll import wait_until

from .checks.vocabulary import EDITS
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


MEANWHILE = {
    "company_id": "(select min(id) from public.companies where id is distinct from company_id)",
    "sales_id": "(select min(id) from public.sales where id is distinct from sales_id)",
    "opportunity_id": "(select min(id) from public.opportunities where id <> opportunity_id)",
    "stage": "case stage when 'proposal' then 'negotiation' else 'proposal' end"
    "::public.opportunity_stage",
    "contact_ids": "'{7}'",
    "index": "5",
    "amount": "5",
    "attachments": "'{}'",
    "created_at": "'2032-01-01Z'",
    "updated_at": "'2032-01-01Z'",
    "archived_at": "'2032-01-01Z'",
    "expected_closing_date": "'2032-01-01Z'",
    "date": "'2032-01-01Z'",
}
"""What one writer puts into a column of the table; a text of its own where nothing else is said."""
BASE = {"deals": "opportunities", "dealNotes": "opportunityNotes"}
READY = {  # the row that is written has something in every column that another refers to
    "deals": "sales_id = (select max(id) from public.sales)",
    "dealNotes": "sales_id = (select max(id) from public.sales), attachments = null",
}
FIRST = {"deals": "name", "dealNotes": "deal_id"}  # the column that is looked at before all others


def lost_updates(dsn: str) -> list[str]:
    """Old clients that change the same column at the same moment: one of them must be told.

    The column alone, and together with one that nobody else has changed.
    """
    found = []
    with connected(dsn) as one, connected(dsn) as two, ThreadPoolExecutor(1) as thread:
        for view, edits in EDITS.items():
            key = scalar(one, f'select max(id) from public."{view}"')
            one.execute(f'update public."{BASE[view]}" set {READY[view]} where id = %s', [key])
            if view == "dealNotes":
                edits = {**edits, "deal_id": _another_deal(one, key)}
            first = FIRST[view]
            for name, value in edits.items():
                if name == "id":
                    continue
                beside = {first: edits[first], name: value}
                for contested, wishes in {name: {name: value}, first: beside}.items():
                    said = _together(thread, one, two, view, key, contested, wishes)
                    if said != "40001":
                        columns = ", ".join(wishes)
                        found.append(
                            f"a write of {view}.{columns} while another changed {contested}"
                            f" ended with {said}"
                        )
    return found


def _together(
    thread: ThreadPoolExecutor,
    one: Conn,
    two: Conn,
    view: str,
    key: int,
    contested: str,
    wishes: dict[str, Any],
) -> str:
    """What becomes of the second of two writers: SQLSTATE, or `well`."""
    name = "opportunity_id" if contested == "deal_id" else contested
    table, value = f'public."{BASE[view]}"', MEANWHILE.get(name, "'meanwhile'")
    stood = scalar(one, f'select "{name}" from {table} where id = %s', [key])
    before = scalar(one, f'select "{contested}" from public."{view}" where id = %s', [key])
    with one.transaction():
        one.execute(f'update {table} set "{name}" = {value} where id = %s', [key])
        after = scalar(one, f'select "{contested}" from public."{view}" where id = %s', [key])
        if before in (after, wishes[contested]):
            raise RuntimeError(f"nothing is contested about {view}.{contested}: {before!r}")
        pending: Future[str] = thread.submit(_write, two, view, key, wishes)
        _wait_for(one, pending)
    said = pending.result()
    one.execute(f'update {table} set "{name}" = %s where id = %s', [stood, key])
    return said


def buried_meanwhile(dsn: str) -> list[str]:
    """An old client changes or deletes a deal that another buries: it stays, buried, as it was."""
    found = []
    with connected(dsn) as one, connected(dsn) as two, ThreadPoolExecutor(1) as thread:
        keys = column(one, "select id from public.deals order by id limit 2")
        statements = (
            "update public.deals set name = 'late' where id = %s",
            "delete from public.deals where id = %s",
        )
        for key, statement in zip(keys, statements, strict=True):
            row = "select name from public.opportunities where id = %s and deleted_at is not null"
            with one.transaction():
                one.execute(f"update public.opportunities set deleted_at = now() where id = {key}")
                name = scalar(one, row, [key])
                pending = thread.submit(_rows_touched, two, statement, key)
                _wait_for(one, pending)
            if (pending.result(), scalar(one, row, [key])) != (0, name):
                found.append(f"of a deal buried meanwhile: {statement} is done")
    return found


def _wait_for(conn: Conn, pending: Future[Any]) -> None:
    """Until the other waits for what `conn` has locked, or has come through without waiting."""
    wait_until(lambda: scalar(conn, WAITING) > 0 or pending.done(), 60, "the other", 0.002)


def _rows_touched(conn: Conn, statement: str, key: int) -> int:
    return conn.execute(statement, [key]).rowcount  # type: ignore[arg-type]


def _another_deal(conn: Conn, note: int) -> int:
    query = (
        'select max(o.id) from public.opportunities o, public."opportunityNotes" n'
        " where n.id = %s and o.id <> n.opportunity_id"
    )
    return int(scalar(conn, query, [note]))


def _write(conn: Conn, view: str, key: int, wishes: dict[str, Any]) -> str:
    fields = ", ".join(f'"{name}" = %s' for name in wishes)
    try:
        conn.execute(f'update public."{view}" set {fields} where id = %s', [*wishes.values(), key])
    except psycopg.Error as error:
        return str(error.sqlstate)
    return "well"


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
            _wait_for(user, pending)
            for name in _later(user, held):
                try:
                    with user.transaction():
                        user.execute(f'lock table public."{name}" in row exclusive mode')
                except psycopg.errors.LockNotAvailable:
                    return [f"the run holds {name} while it waits for {held}: users would deadlock"]
    return []


FIRST_ROW = "where id = (select min(id) from public.{0}) returning id"
LATE: dict[str, tuple[str, str]] = {
    "1.1/040_companies_columns": (
        "companies",
        f"update public.{{0}} set segment = 'late' {FIRST_ROW}",
    ),
    "1.1/050_contacts_columns": (
        "contacts",
        f"update public.{{0}} set department = 'late' {FIRST_ROW}",
    ),
    "1.1/210_swap": ("opportunities", f"update public.{{0}} set competition = 'late' {FIRST_ROW}"),
    "1.2/040_access": (
        "contact_organizations",
        """insert into public.{0} (contact_id, organization_id, notes)
        select c.id, o.id, 'late' from public.contacts c, public.companies o
        where o.id is distinct from c.company_id order by 1, 2 limit 1 returning id""",
    ),
    "1.3/040_access": (
        "opportunity_participants",
        """insert into public.{0} (opportunity_id, organization_id, role)
        select min(o.id), (select min(id) from public.companies), 'competitor'
        from public.opportunities o returning id""",
    ),
    "1.4/070_access": (
        "activities",
        """insert into public.{0} (activity_type, type, subject, contact_id)
        select 'engagement', 'call', 'late', min(id) from public.contacts returning id""",
    ),
}
"""By step: the table whose rows its way back archives, and a write of a user to it."""


def late_write(dsn: str, run: Callable[[str], object], step: str) -> list[str]:
    """A user has written and not committed when the way back comes: it must wait, and archive."""
    table, statement = LATE[step]
    with connected(dsn) as user, ThreadPoolExecutor(1) as thread:
        with user.transaction():
            key = scalar(user, statement.format(table))
            pending = thread.submit(run, dsn)
            _wait_for(user, pending)
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
