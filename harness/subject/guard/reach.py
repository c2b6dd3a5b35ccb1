"""The proof that a command connects to our database: a command of its own that only reads arrives.

It shows where that command connects. One that connects elsewhere when it migrates is held back by
the namespaces, where there are any, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from harness.core.errors import Refused
from harness.database import admin
from harness.server.trust import without_password
from harness.subject.guard.doorway import Doorway, doorway
from harness.subject.guard.once import Ended, run_once
from harness.subject.protocol import Invocation

ELSEWHERE: Final = "it connects elsewhere"
OTHER: Final = ELSEWHERE + ": it asks for database {!r}, and not for ours"
READ_OURS: Final = (
    "let it read DATABASE_URL or PGHOST, PGPORT, PGUSER and PGDATABASE, or write {dsn} or {host},"
    " {port} and {dbname} into the command"
)


def refuse_unless_it_arrives(dsn: str, begin: Callable[[str], Invocation], probe: str) -> None:
    """Run the invocation that `begin` gives for a DSN; Refused unless it asks for that database.

    `probe` is the command in words.
    """
    with doorway(without_password(dsn)) as door:
        ended = run_once(begin(door.dsn))
    flaw = _flaw(door, ended, admin.dbname(dsn))
    if flaw:
        message, hint = flaw
        raise Refused(message, where=probe, hint=hint)


def unguarded(command: str, reason: str) -> Refused:
    """The refusal of a command of which nothing would show that it connects elsewhere."""
    return Refused(
        f"nothing would keep it from another database: there is no network namespace ({reason})"
        " and no probe",
        where=command,
        hint="give --probe a command of the same tool that only reads; or read where it connects,"
        " and say --trust-command",
    )


def refuse_other_database(command: str, databases: Iterable[str], wanted: str) -> None:
    """Raise Refused where a run that succeeded asked for another database than ours, or for none.

    Then nothing of it was seen, and whatever it is compared with would look the same.
    """
    found = set(databases)
    others = sorted(found - {wanted})
    if others:
        message = OTHER.format(others[0])
    elif not found:
        message = f"{ELSEWHERE}, or nowhere: nothing of it arrived at our server"
    else:
        return
    raise Refused(message, where=command, hint=READ_OURS)


def _flaw(door: Doorway, ended: Ended, wanted: str) -> tuple[str, str] | None:
    others = sorted(set(door.databases) - {wanted})
    if others:
        return OTHER.format(others[0]), READ_OURS
    if not door.databases and door.refused:
        return (
            "it insists on TLS, which a server that is struck on the wire does not speak",
            "take sslmode=require out of its settings for this run; PGSSLMODE says disable",
        )
    if not door.databases:
        message = f"{ELSEWHERE}, or nowhere: nothing arrived at our server; it {ended.words}"
        return message, f"{READ_OURS}; or give --probe a command that connects"
    if ended.status != 0:
        return f"the probe arrives, but it {ended.words}", "correct it, or give another --probe"
    return None
