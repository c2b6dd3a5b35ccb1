"""Rivals: other sessions that hold what a run needs, so that it waits, deadlocks or collides."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from harness.core.poll import wait_until
from harness.database import admin, ledger_names
from harness.database.locks import LockWords

LIMIT = 30.0
COLLISIONS = Path(__file__).with_suffix(".sql")
COLLIDE = ledger_names.identifier("harness_collide")
ALWAYS = 2**62


def relation(name: str) -> sql.Identifier:
    """A relation's name, schema before the first dot, as SQL."""
    schema, _, rest = name.partition(".")
    return sql.Identifier(schema, rest)


def hasty_in_deadlocks(dsn: str, milliseconds: int) -> str:
    """The same DSN for a session that looks for deadlocks so soon: among two, it is the victim."""
    return make_conninfo(dsn, options=f"-c deadlock_timeout={milliseconds}ms")


class Rival:
    """A session with an open transaction. `close` lets go of everything; it may be called twice.

    It never looks for a deadlock itself, so that the other side of one is its victim.
    """

    def __init__(self, dsn: str) -> None:
        self._watch = admin.connect(dsn)
        self._conn = admin.connect(dsn, application_name="harness rival")
        self._conn.execute("set deadlock_timeout = '1h'")
        self._conn.execute("begin")
        self._asked = False

    @property
    def sockets(self) -> tuple[int, ...]:
        """Its file descriptors: a process forked meanwhile has no business with them."""
        return self._watch.fileno(), self._conn.fileno()

    def lock(self, name: str, mode: LockWords) -> None:
        """Hold a table-level lock."""
        self._conn.execute(self.locking(name, mode))

    def locking(self, name: str, mode: LockWords) -> sql.Composed:
        """The statement that takes a table-level lock."""
        return sql.SQL("lock table {} in {} mode").format(relation(name), sql.SQL(mode))

    def execute(self, query: sql.Composed, params: tuple[object, ...] = ()) -> int:
        """Hold what a statement locks; the number of rows it touched."""
        return self._conn.execute(query, params).rowcount

    def ask(self, query: sql.Composed | sql.SQL) -> None:
        """Send a statement that will have to wait; whether it still does, `answered` says."""
        self._conn.pgconn.send_query(query.as_string(self._conn).encode())
        self._conn.pgconn.flush()
        self._asked = True

    def answered(self) -> bool:
        """Whether what was asked for has come."""
        self._conn.pgconn.consume_input()
        return not self._conn.pgconn.is_busy()

    def blocks(self) -> str | None:
        """What a session that waits for this one is about, in words; None while none waits."""
        row = self._watch.execute(
            "select format('%%s waits for %%s in %%s', a.pid, a.wait_event, left(a.query, 60))"
            " from pg_stat_activity as a where a.datname = current_database()"
            " and %s = any(pg_blocking_pids(a.pid)) limit 1",
            [self._conn.info.backend_pid],
        ).fetchone()
        return None if row is None else " ".join(str(row[0]).split())

    def waits(self) -> bool:
        """Whether this session itself waits for another."""
        row = self._watch.execute(
            "select pg_blocking_pids(%s) <> '{}'", [self._conn.info.backend_pid]
        ).fetchone()
        return bool(row and row[0])

    def until_blocking(self) -> str:
        """Wait until somebody waits for this session; who, in words."""
        return wait_until(self.blocks, LIMIT, "a session that waits for the rival", 0.002) or ""

    def until_waiting(self) -> None:
        """Wait until this session waits for somebody."""
        wait_until(self.waits, LIMIT, "the rival to wait", 0.002)

    def close(self) -> None:
        """End the session, also one that waits."""
        if not self._conn.closed and self._asked and not self.answered():
            with suppress(psycopg.Error):
                self._conn.cancel_safe(timeout=LIMIT)
        for conn in (self._conn, self._watch):
            with suppress(psycopg.Error):
                conn.close()

    def __enter__(self) -> Rival:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Collisions:
    """Serialization failures in a database, raised where a row of the ledger is written."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._armed: list[sql.Composable] = []
        with admin.connection(dsn) as conn:
            conn.execute(ledger_names.spelled(COLLISIONS.read_text()))

    def arm(self, table: str, when: sql.Composable, times: int) -> None:
        """Fail the first `times` writes of a row for which `when` holds; ALWAYS for every one."""
        name = f"harness_collisions_{len(self._armed)}"
        count = ledger_names.identifier(name)
        self._armed.append(count)
        with admin.connection(self._dsn) as conn:
            conn.execute(sql.SQL("create sequence {}").format(count))
            conn.execute(
                sql.SQL(
                    "create trigger {} before insert or update on {} for each row"
                    " when ({}) execute function {}({}, {})"
                ).format(
                    sql.Identifier(name),
                    relation(table),
                    when,
                    COLLIDE,
                    sql.Literal(ledger_names.qualified(name)),
                    sql.Literal(str(times)),
                )
            )

    def remove(self) -> None:
        """Take everything away again."""
        with admin.connection(self._dsn) as conn:
            conn.execute(sql.SQL("drop function {} cascade").format(COLLIDE))
            for count in self._armed:
                conn.execute(sql.SQL("drop sequence {}").format(count))
