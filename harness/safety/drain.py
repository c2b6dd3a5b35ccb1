"""Drain the application's sessions: wait, cancel, terminate, and see that each is gone.

The door is shut first: see maintenance. Otherwise they would be back before the next statement.
Only sessions that were there when the drain began are ended, each known by its process number and
its start, for a number alone may be another's by now.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import psycopg

from harness.core.errors import Refused, Stopped
from harness.core.poll import wait_until
from harness.plan.rules import DrainRules
from harness.safety.backends import tell_backend

Connection: TypeAlias = psycopg.Connection[Any]

_SESSIONS: Final = Path(__file__).with_suffix(".sql").read_text("utf-8")
_PAUSE: Final = 0.05


@dataclass(frozen=True)
class ApplicationSession:
    """A session of the application; `started` None: this role may not see it."""

    pid: int
    started: datetime | None
    role: str
    application: str

    def __str__(self) -> str:
        named = f" ({self.application})" if self.application else ""
        return f"server process {self.pid} of role {self.role}{named}"


@dataclass(frozen=True)
class DrainReport:
    """How many sessions there were: `left` by themselves, or were `terminated`.

    `cancelled` is how many of them were told to cancel what they did, `returned` how many came
    since: what these write is refused.
    """

    sessions: int
    left: int
    cancelled: int
    terminated: int
    returned: int

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def line(self) -> str:
        """As a person reads it."""
        return (
            f"drain: {self.sessions} sessions; {self.left} left by themselves,"
            f" {self.terminated} were terminated ({self.cancelled} cancelled before),"
            f" {self.returned} came since"
        )


def read_sessions(conn: Connection, actors: Sequence[str]) -> frozenset[ApplicationSession]:
    """The client sessions of these roles in this database, without our own."""
    rows = conn.execute(_SESSIONS, {"actors": list(actors), "busy": False}).fetchall()
    return frozenset(ApplicationSession(*row) for row in rows)


def read_busy(conn: Connection, actors: Sequence[str]) -> frozenset[ApplicationSession]:
    """Those of them that are at work or in a transaction."""
    rows = conn.execute(_SESSIONS, {"actors": list(actors), "busy": True}).fetchall()
    return frozenset(ApplicationSession(*row) for row in rows)


def drain(conn: Connection, actors: Sequence[str], rules: DrainRules) -> DrainReport:
    """End every session of these roles that is there now, and see that it is gone.

    Raises Refused when this role may not see or end one, Stopped when one does not end.
    """
    there = read_sessions(conn, actors)
    _refuse_hidden(there)

    def left() -> frozenset[ApplicationSession]:
        return there & read_sessions(conn, actors)

    def busy() -> frozenset[ApplicationSession]:
        return there & read_busy(conn, actors)

    _gone(busy, rules.wait)
    working = busy()
    tell_to_end(conn, working, "cancel")
    if working:
        _gone(busy, rules.cancel)
    rest = left()
    tell_to_end(conn, rest, "terminate")
    _gone(left, rules.terminate)
    for session in sorted(left(), key=lambda one: one.pid):
        raise Stopped(
            f"{session} does not end",
            hint="it may wait for a synchronous standby or the disk; see pg_stat_activity",
        )
    returned = len(read_sessions(conn, actors) - there)
    return DrainReport(len(there), len(there) - len(rest), len(working), len(rest), returned)


def tell_to_end(conn: Connection, sessions: Iterable[ApplicationSession], measure: str) -> None:
    """Cancel or terminate each that is still that session; Refused when this role may not."""
    hint = "be granted pg_signal_backend, or leave [drain] out of plan.toml"
    for session in sessions:
        tell_backend(conn, measure, (session.pid, session.started), str(session), hint)


def _refuse_hidden(sessions: Iterable[ApplicationSession]) -> None:
    for session in sessions:
        if session.started is None:
            raise Refused(
                f"{session} is hidden from this role, which could end another in its place",
                hint="be granted pg_read_all_stats, or leave [drain] out of plan.toml",
            )


def _gone(sessions: Callable[[], frozenset[ApplicationSession]], wait: float) -> None:
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not sessions(), wait, "the end of sessions", pause=_PAUSE)
