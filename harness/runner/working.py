"""The session in which scripts work, and a new one in its place as soon as a script has used it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

import psycopg
from psycopg import sql

from harness.core.errors import InfrastructureError
from harness.plan import Script
from harness.runner import lock, transaction
from harness.runner.connection import Connection, configure, connect, is_lost, set_variables
from harness.runner.context import RunContext
from harness.runner.discard import changed_rows
from harness.runner.heartbeat import Heartbeat, Waiting, cut
from harness.runner.lock import Backend
from harness.runner.renewal import address, hang_up, has_ended
from harness.runner.settings import set_sql, variables
from harness.runner.timeouts import setting_name, setting_value, timeouts

Cursor: TypeAlias = psycopg.Cursor[tuple[object, ...]]


class WorkingSession:
    """One message at a time to the server, under the runner's own settings or a script's.

    What a script leaves in a session ends with it: whatever comes after a script has a new one. So
    a run that is resumed finds what an undisturbed one does.
    """

    backend: Backend
    pinned: dict[str, str]

    def __init__(self, dsn: str, guard: Connection, context: RunContext) -> None:
        self.conn = connect(dsn, "runner")
        self.waiting = Waiting()
        self.used = False  # by a script: nothing else is to be done in it
        self._guard = guard  # the lock's connection
        self._context = context
        self._address = address(dsn, self.conn)
        self._run_id: int | None = None
        self._heartbeat: Heartbeat | None = None
        self.await_turn: Callable[[], None] = at_once  # before each message

    def beside(self) -> WorkingSession:
        """Another session for the same run; its first message sets what it needs."""
        other = WorkingSession(self._address, self._guard, self._context)
        other.pinned, other._run_id = self.pinned, self._run_id
        return other

    def configure(self) -> None:
        """Make the session independent of others' settings; Refused where the role may not."""
        self.pinned = configure(self.conn, self._context.settings)

    def identify(self) -> None:
        """Learn which server process works for us."""
        self.backend = lock.identify(self.conn)

    def take_up(self, run_id: int) -> None:
        """From now on scripts see the run's number and the plan's variables."""
        self._run_id = run_id
        set_variables(self.conn, {**self._context.plan.variables, "run_id": str(run_id)})

    def watch_by(self, heartbeat: Heartbeat) -> None:
        """Keep a heartbeat told which connection, and which server process, it looks at."""
        self._heartbeat = heartbeat

    def lost(self, error: BaseException) -> bool:
        """Whether the error means that this connection is gone, or the lock's."""
        return is_lost(self.conn, error) or is_lost(self._guard, error)

    def execute(
        self, query: sql.Composed | bytes, params: dict[str, object] | None = None
    ) -> Cursor:
        """Send one message and wait for its answer."""
        self.await_turn()
        with self.waiting:
            return self.conn.execute(query, params)

    def change(self, text: str) -> int:
        """Run one statement of a script; how many rows it changed. What it selects is not kept."""
        with self.waiting:
            return changed_rows(self.conn, text.encode())

    def ask(self, query: sql.Composed, script: Script | None = None) -> Cursor:
        """The answer to a query of our own, with nothing of a script in its session.

        With `script` it is asked as the script would ask it, under its settings and its role.
        """
        self.refresh()
        own = transaction.late(script.settings) if script is not None else ()
        cursor = self.execute(self.ours() + transaction.set_local(own) + query)
        self.learn_process(cursor)
        while cursor.nextset() and cursor.description is None:
            pass
        return cursor

    def send(self, script: Script, label: str, text: str) -> None:
        """Run a statement outside any transaction, under the script's own settings."""
        self.refresh()
        own = {"application_name": application(label), **self._timeouts(script)}
        sets = [
            sql.SQL("SET {} = {};").format(setting_name(name), setting_value(name, value))
            for name, value in (*own.items(), *script.settings)
        ]
        self.used = True
        query = self.ours() + lock.at_work_sql(until="") + sql.Composed(sets)
        self.learn_process(self.execute(query))
        self.execute(text.encode())

    def probe(self, script: Script, query: bytes) -> tuple[object, ...] | None:
        """The last answer of statements that are then undone; None when the server refuses one."""
        self.refresh()
        late = transaction.set_local(transaction.late(script.settings))
        begin = sql.SQL("BEGIN;") + self.ours() + late
        try:
            cursor = self.execute(begin.as_bytes(self.conn) + query)
            self.learn_process(cursor)
            rows: list[tuple[object, ...]] = []
            while cursor.nextset():
                rows = cursor.fetchall() if cursor.description is not None else rows
            return rows[0]
        except psycopg.Error as error:
            if self.lost(error):
                raise
            return None
        finally:
            self.roll_back()

    def begin_sql(
        self,
        label: str,
        script: Script | None,
        head: Sequence[str],
        fence: sql.Composed,
        look: sql.Composed | None,
    ) -> sql.Composed:
        """What begins a transaction behind the fence, under the script's own settings."""
        own = {"application_name": application(label), **self._timeouts(script)}
        settings = script.settings if script is not None else ()
        return transaction.begin(self.ours(), own, settings, head, fence, look)

    def roll_back(self) -> None:
        """End a transaction that is open; that the connection is lost ends it, too."""
        with contextlib.suppress(psycopg.Error), self.waiting:
            if self.conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.conn.execute("ROLLBACK")

    def cancel(self) -> None:
        """Ask the server to break off the statement that is under way."""
        with contextlib.suppress(psycopg.Error):
            self.conn.cancel_safe(timeout=5)

    def refresh(self) -> None:
        """Work in a new session, when a script has used this one."""
        if not self.used:
            return
        if has_ended(self._guard) or has_ended(self.conn):
            cut(self.conn)  # without its lock, too, a runner starts anew
            self.execute(b"SELECT 1")
        try:
            fresh = connect(self._address, "runner")
        except InfrastructureError as refused:
            self._keep(refused)
        else:
            spent, self.conn = self.conn, fresh
            self._watch(None)
            hang_up(spent)
        self.used = False

    def _keep(self, refused: InfrastructureError) -> None:
        """Where no new session is to be had, the old one forgets what it can."""
        self.execute(b"DISCARD ALL")
        self._context.tell("session_kept", message=refused.message)

    def ours(self) -> sql.Composed:
        """The settings of a session of the runner, and of its run, in one query."""
        plan = self._context.plan
        own = variables(plan.variables, self._run_id) if self._run_id is not None else {}
        return set_sql(self.pinned, own)

    def learn_process(self, cursor: Cursor) -> None:
        """Learn from the answer to our settings which server process works for us."""
        while cursor.statusmessage is None or not cursor.statusmessage.startswith("SELECT"):
            if not cursor.nextset():
                return
        row = cursor.fetchone()
        assert row is not None, "an aggregate gives one row"
        self._watch(int(str(row[1])))

    def _watch(self, pid: int | None) -> None:
        if self._heartbeat is not None:
            self._heartbeat.watch(self.waiting, self.conn, pid)

    def _timeouts(self, script: Script | None) -> dict[str, str]:
        return timeouts(self._context.settings, script)


def at_once() -> None:
    """Nobody else has a turn."""


def next_rows(cursor: Cursor) -> list[tuple[object, ...]]:
    """The rows of the next answer that has any columns."""
    while cursor.nextset():
        if cursor.description is not None:
            return cursor.fetchall()
    return []


def application(label: str) -> str:
    """The application_name of a session that works on a step, cut to what Postgres keeps."""
    return f"harness {label}"[:63]
