"""Two users at the same row at the same moment: no update is lost, and none is done twice."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg

from .checks.vocabulary import EDITS
from .support import Conn, column, connected, scalar
from .waiting import wait_for

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
        wait_for(one, pending)
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
                wait_for(one, pending)
            if (pending.result(), scalar(one, row, [key])) != (0, name):
                found.append(f"of a deal buried meanwhile: {statement} is done")
    return found


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
