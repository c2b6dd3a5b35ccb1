"""Signs of life on the lock's connection, and the detection of a connection that fell silent.

A statement may take hours, so no timeout on the answer can tell a slow server from a dead line. The
heartbeat can: it asks, on another connection, whether the backend has long since become idle.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from dataclasses import dataclass, replace

import psycopg
from psycopg import pq

from harness.plan import RunnerSettings
from harness.runner.connection import Connection
from harness.runner.sql_comments import HEARTBEAT
from harness.runner.wait_bound import WaitBound

TICK = 0.05

STATE = (
    "SELECT state, pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - state_change)"
    " FROM pg_catalog.pg_stat_activity WHERE pid = {:d}"
)
QUESTION = f"{HEARTBEAT} {STATE}"


class Waiting:
    """Since when the runner has been waiting for an answer; None while it is not."""

    def __init__(self) -> None:
        self.since: float | None = None

    def __enter__(self) -> None:
        self.since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.since = None

    def seconds(self) -> float:
        """How long the current wait has taken."""
        since = self.since
        return 0.0 if since is None else time.monotonic() - since


def cut(conn: Connection) -> None:
    """Wake whoever waits on a connection: it is lost."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(conn.pgconn.socket)) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)


class Deadline:
    """Cuts connections when a block that should be short is not over in time."""

    def __init__(self, seconds: float, *connections: Connection) -> None:
        self._connections = connections
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def _pass(self) -> None:
        for conn in self._connections:
            cut(conn)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


@dataclass(frozen=True)
class WatchedSession:
    """A working connection and its server process, None while it is not known yet."""

    conn: Connection
    pid: int | None
    waiting: Waiting
    bound: WaitBound


class Heartbeat:
    """A thread that owns the lock's connection between start() and stop()."""

    def __init__(self, lock: Connection, settings: RunnerSettings) -> None:
        self._lock = lock
        self._settings = settings
        self._watched: dict[Waiting, WatchedSession] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def take_up(self, session: WatchedSession) -> None:
        """Look at one more session."""
        self._watched[session.waiting] = session

    def leave(self, waiting: Waiting) -> None:
        """Look at a session no more."""
        self._watched.pop(waiting, None)

    def watch(self, waiting: Waiting, conn: Connection, pid: int | None) -> None:
        """From now on this is the connection of the session that waits so."""
        self._watched[waiting] = replace(self._watched[waiting], conn=conn, pid=pid)

    def start(self) -> None:
        """Begin; does nothing when the plan asks for no heartbeat and no bound on waits."""
        if self._pause() is not None:
            self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End; the lock's connection is the caller's again."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _pause(self) -> float | None:
        """How long to rest between two looks at what is due; None where nothing ever is."""
        due = self._settings.heartbeat, TICK if self._settings.max_wait else 0.0
        return min((one for one in due if one), default=None)

    def _beat(self) -> None:
        due = time.monotonic() + self._settings.heartbeat
        while not self._ended.wait(self._pause()):
            try:
                for watched in tuple(self._watched.values()):
                    watched.bound.look(watched.pid, self._row)
                if not self._settings.heartbeat or time.monotonic() < due:
                    continue
                due = time.monotonic() + self._settings.heartbeat
                for watched in tuple(self._watched.values()):
                    if self._is_lost(watched):
                        return self._cut()
            except (psycopg.Error, OSError, TimeoutError):
                return self._cut()
            if self._ended.is_set():
                return None
        return None

    def _cut(self) -> None:
        """All lines: a runner that has lost one begins anew with all of them."""
        for watched in tuple(self._watched.values()):
            cut(watched.conn)

    def _is_lost(self, watched: WatchedSession) -> bool:
        """Whether a session waits for an answer that its server process does not work at."""
        idle, limit = self._ask(watched.pid), self._settings.stall
        is_same = self._watched.get(watched.waiting) is watched and not self._ended.is_set()
        return is_same and idle > limit and watched.waiting.seconds() > limit

    def _ask(self, pid: int | None) -> float:
        """For how many seconds the working backend has been idle (or gone); 0 when it works."""
        result = self._query(QUESTION.format(pid or 0))
        return 0.0 if pid is None or self._ended.is_set() else _idle(result)

    def _row(self, query: str) -> tuple[str, ...] | None:
        result = self._query(query)
        if result is None or result.status != pq.ExecStatus.TUPLES_OK or not result.ntuples:
            return None
        values = (result.get_value(0, place) for place in range(result.nfields))
        return tuple((value or b"").decode(errors="replace") for value in values)

    def _query(self, query: str) -> pq.abc.PGresult | None:
        """The last answer to a query on the lock's connection; None when the run has ended."""
        pgconn = self._lock.pgconn
        pgconn.send_query(query.encode())
        pgconn.flush()
        deadline = time.monotonic() + self._settings.stall
        result: pq.abc.PGresult | None = None
        while not self._ended.is_set():
            pgconn.consume_input()
            while not pgconn.is_busy():
                answer = pgconn.get_result()
                if answer is None:
                    return result
                result = answer
            if time.monotonic() > deadline:
                raise TimeoutError
            select.select([pgconn.socket], [], [], 0.1)
        return None


def _idle(result: pq.abc.PGresult | None) -> float:
    if result is None or result.status != pq.ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError("the heartbeat was not answered")
    if result.ntuples == 0:
        return float("inf")
    state, seconds = result.get_value(0, 0), result.get_value(0, 1)
    return 0.0 if state in (b"active", None) or seconds is None else float(seconds)
