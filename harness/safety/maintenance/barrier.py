"""Put the barrier's trigger on tables, and take it away, a table at a time under bounded locks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import psycopg
from psycopg import sql

from harness.core.errors import Refused, Stopped
from harness.core.poll import wait_until
from harness.database.catalog import MAINTENANCE_SCHEMA
from harness.safety.maintenance.request import MaintenanceRequest
from harness.safety.maintenance.scope import GuardedTable
from harness.safety.maintenance.statements import TRIGGER, Connection, statement
from harness.safety.maintenance.writers import Writer, read_writers

SLACK = 60.0
"""How many seconds a clock may be set back before a lease that is too long no longer counts."""
PAUSE = 0.2


def install(conn: Connection, request: MaintenanceRequest) -> None:
    """Make the schema and the function that refuses; the lease is as it was.

    Raises Refused where somebody else's schema bears that name, or this role may not make ours.
    """
    body = sql.SQL(statement("refuse")).format(
        roles=sql.Literal(list(request.roles)),
        longest=sql.Literal(round((request.rules.max_lease + SLACK) * 1000)),
        reason=sql.Literal(request.reason),
    )
    function = sql.Identifier(MAINTENANCE_SCHEMA, "refuse")
    conn.execute(statement("install"))
    conn.execute(
        sql.SQL(
            "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            " SET search_path = pg_catalog, pg_temp AS {}"
        ).format(function, sql.Literal(body.as_string(conn)))
    )
    roles = sql.SQL(", ").join(map(sql.Identifier, request.roles))
    conn.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {}() TO {}").format(function, roles))


def arm(conn: Connection, table: GuardedTable) -> None:
    """Put the trigger on a table: also for replication's sessions, whose role is their own."""
    name = sql.Identifier(table.schema, table.name)
    with conn.transaction():
        conn.execute(
            sql.SQL(
                "CREATE OR REPLACE TRIGGER {} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {}"
                " FOR EACH STATEMENT EXECUTE FUNCTION {}()"
            ).format(sql.Identifier(TRIGGER), name, sql.Identifier(MAINTENANCE_SCHEMA, "refuse"))
        )
        conn.execute(
            sql.SQL("ALTER TABLE ONLY {} ENABLE ALWAYS TRIGGER {}").format(
                name, sql.Identifier(TRIGGER)
            )
        )


def disarm(conn: Connection, table: GuardedTable) -> None:
    """Take the trigger from a table; nothing happens where table or trigger are gone."""
    conn.execute(
        sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(
            sql.Identifier(TRIGGER), sql.Identifier(table.schema, table.name)
        )
    )


def remove(conn: Connection) -> None:
    """Take away the schema, and with it what an unfinished `on` or `off` has left."""
    with conn.transaction():
        conn.execute(
            sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(MAINTENANCE_SCHEMA))
        )


def each_in_turn(
    conn: Connection,
    tables: Sequence[GuardedTable],
    change: Callable[[Connection, GuardedTable], None],
    wait: float,
) -> tuple[GuardedTable, ...]:
    """Change every table, those that are in use again and again; those that stayed locked.

    Every table is tried at least once, whatever `wait` is. A table that was dropped or renamed
    meanwhile counts as changed: it is looked up again by whoever needs all of them.
    """
    left = list(tables)

    def attempt() -> bool:
        for table in list(left):
            if _changed(conn, table, change):
                left.remove(table)
        return not left

    with contextlib.suppress(TimeoutError):
        wait_until(attempt, wait, "the locks of the tables", pause=PAUSE)
    return tuple(left)


def _changed(
    conn: Connection, table: GuardedTable, change: Callable[[Connection, GuardedTable], None]
) -> bool:
    try:
        change(conn, table)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return True
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"{table}: {error.diag.message_primary}", hint="run as the owner of the tables"
        ) from error
    return True


def still_locked(conn: Connection, tables: Sequence[GuardedTable], undone: str) -> Stopped:
    """Why tables could not be changed: who uses them, and what to do."""
    writers = read_writers(conn, tables)
    who = f", {described(writers[0])}" if writers else ""
    more = f" and {len(tables) - 1} more" if len(tables) > 1 else ""
    return Stopped(
        f"table {tables[0]}{more} could not be locked in time{who}; {undone}",
        hint="run the same again when that transaction is over, or raise wait in [maintenance]",
    )


def described(writer: Writer) -> str:
    """A transaction in words: what it has written to, and whose it is."""
    if writer.pid is None:
        return f"used by a prepared transaction ({writer.table})"
    return f"used by server process {writer.pid} of role {writer.role} ({writer.table})"
