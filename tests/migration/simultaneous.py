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
)
"""The order in which transactions of the application write tables."""


def lost_updates(dsn: str) -> list[str]:
    """Old clients that change the same column at the same moment: one of them must be told."""
    found = []
    with connected(dsn) as one, connected(dsn) as two, ThreadPoolExecutor(1) as thread:
        for view, edits in EDITS.items():
            key = scalar(one, f'select max(id) from public."{view}"')
            for name, value in edits.items():
                if name in ("id", "deal_id", "stage"):
                    continue
                said = _together(thread, one, two, view, name, key, value)
                if said != "40001":
                    found.append(f"two writes of {view}.{name} at once ended with {said}")
    return found


def _together(
    thread: ThreadPoolExecutor, one: Conn, two: Conn, view: str, name: str, key: int, value: Any
) -> str:
    """What becomes of the second of two writers: SQLSTATE, or `well`."""
    base = {"deals": "opportunities", "dealNotes": "opportunityNotes"}[view]
    first = f'update public."{base}" set "{name}" = {{}} where id = %s'
    other = {"contact_ids": "'{7}'", "index": "5", "amount": "5", "attachments": "'{}'"}
    stands = scalar(one, f'select "{name}" from public."{base}" where id = %s', [key])
    with one.transaction():
        if name in other:
            one.execute(first.format(other[name] if name != "attachments" else "null"), [key])
        elif name in ("company_id", "sales_id"):
            table = "companies" if name == "company_id" else "sales"
            other_id = (
                f"(select min(id) from public.{table} where id is distinct from {stands or 0})"
            )
            one.execute(first.format(other_id), [key])
        elif isinstance(value, str):
            one.execute(first.format("'meanwhile'"), [key])
        else:
            one.execute(first.format("'2032-01-01Z'"), [key])
        pending: Future[str] = thread.submit(_write, two, view, name, key, value)
        wait_until(lambda: scalar(one, WAITING) > 0 or pending.done(), 10, "the second writer")
    said = pending.result()
    return "40001" if stands == value else said


def _write(conn: Conn, view: str, name: str, key: int, value: Any) -> str:
    try:
        conn.execute(f'update public."{view}" set "{name}" = %s where id = %s', [value, key])
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
            wait_until(lambda: scalar(user, WAITING) > 0 or pending.done(), 60, "the run")
            for name in _later(user, held):
                try:
                    with user.transaction():
                        user.execute(f'lock table public."{name}" in row exclusive mode')
                except psycopg.errors.LockNotAvailable:
                    return [f"the run holds {name} while it waits for {held}: users would deadlock"]
    return []


def locked(script: Script) -> list[str]:
    """The tables that a script locks outright, in the order in which users write them."""
    text = " ".join(s.text.lower() for s in script.statements if s.tag == "LockStmt")
    return [name for name in ORDER if re.search(rf'public\."?{name.lower()}\b', text)]


def _later(conn: Conn, held: str) -> list[str]:
    there = column(
        conn,
        "select relname from pg_catalog.pg_class where relkind = 'r'"
        " and relnamespace = 'public'::pg_catalog.regnamespace",
    )
    return [name for name in ORDER[ORDER.index(held) + 1 :] if name in there]
