"""The operator's hand on a run at work: rows of the ledger that end by themselves."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import dataclass
from typing import Literal

from harness.core.errors import Refused, UsageError
from harness.runner import ledger, ledger_control, ledger_format, lock
from harness.runner.connection import Connection, connect
from harness.runner.control_row import read_setting
from harness.runner.ledger import LedgerRun

Action = Literal["pause", "resume", "stop", "set"]
LONGEST = 86_400.0
USUAL = 3600.0


@dataclass(frozen=True)
class ControlRow:
    """One thing that is asked of a run, until when, and who asked for it when."""

    key: str
    value: str
    until: str
    set_by: str
    set_at: str


@dataclass(frozen=True)
class ControlOutcome:
    """The state of the database, whether a runner is at work, and all that is asked of it now."""

    state: str
    run: int
    at_work: bool
    control: tuple[ControlRow, ...]


def control(
    dsn: str, action: Action, settings: dict[str, str], lasting: float | None = None
) -> ControlOutcome:
    """Ask this of the run that is under way; Refused when none is, or by another's role."""
    seconds = _lasting(lasting)
    for key, value in settings.items():
        read_setting(key, value)
    with connect(dsn, "control") as conn:
        run, state = _under_way(conn)
        _refuse_others(conn)
        at_work = lock.is_held(conn)
        if action == "stop" and not at_work:
            raise Refused(
                "no runner is at work: there is nothing to stop",
                hint="`harness status` says where the database stands",
            )
        with conn.transaction():
            _write(conn, run, action, settings, seconds)
        rows = conn.execute(ledger_control.ROWS, [run.id]).fetchall()
    return ControlOutcome(state, run.id, at_work, tuple(ControlRow(*row) for row in rows))


def _lasting(asked: float | None) -> float:
    if asked is not None and not 0 < asked <= LONGEST:
        raise UsageError("--for is at most 24h", hint="ask again when it has ended")
    return asked or USUAL


def _under_way(conn: Connection) -> tuple[LedgerRun, str]:
    """The unfinished run, which is the last one, and the state of the database."""
    version = ledger_format.version(conn)
    known = ledger.read(conn)
    last = known.runs[-1] if known.runs else None
    if last is None or last.completed:
        raise Refused(
            f"no run is under way: the database is {known.state}",
            hint="start one, then ask this of it from another terminal",
        )
    if version is None or version < ledger_format.SINCE["control.key"]:
        raise Refused(
            f"the run's ledger is of version {version}, which hears no control",
            hint="it is brought to the newest version when a run is resumed",
        )
    return last, known.state


def _refuse_others(conn: Connection) -> None:
    row = conn.execute(ledger_control.RIGHTS).fetchone()
    assert row is not None, "the ledger has its table"
    may, role, owner, standby = row
    if standby:
        raise Refused("the server is a standby", hint="give the primary's address")
    if not may:
        raise Refused(
            f"role {role} may not control the run: its ledger is {owner}'s",
            hint=f"connect as {owner}, or as a member of it",
        )


def _write(
    conn: Connection, run: LedgerRun, action: Action, settings: dict[str, str], seconds: float
) -> None:
    """One row for each thing that is asked, and one event that says who asked for it."""
    who = _who(conn)
    if action == "resume":
        conn.execute(ledger_control.TAKE_BACK, [run.id, ["pause", "stop"]])
    asked = settings if action == "set" else {action: who} if action != "resume" else {}
    for key, value in asked.items():
        conn.execute(ledger_control.ASK, [key, value, seconds, who, run.id])
    words = " ".join(f"{key}={value}" for key, value in settings.items())
    text = f"{action} {words}".strip() + (f" for {seconds:g} s" if asked else "") + f" by {who}"
    conn.execute(ledger_control.NOTE, [run.id, text[:2000]])


def _who(conn: Connection) -> str:
    row = conn.execute("SELECT session_user::text").fetchone()
    assert row is not None
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{row[0]} ({user}@{socket.gethostname()})"
