"""Prove a dump: restore it into a scratch database on the same server and compare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import psycopg
from psycopg import errors

from harness.core import progress
from harness.core.errors import Refused
from harness.database import admin, temporary
from harness.database import dump as client
from harness.database.creation import create, making
from harness.database.fingerprint import Difference
from harness.database.surroundings import surround, surroundings
from harness.database.template0 import furnish, furniture
from harness.safety import identity, spelling
from harness.safety.identity import Identity

Verdict = Literal["pass", "fail", "unknown"]
SCRATCH: Final = temporary.Kind(
    "harness_backup_proof", "scratch database in which a harness backup is restored; may be dropped"
)


@dataclass(frozen=True)
class Proof:
    """What came of restoring a dump. `found` is what it holds, None when it was not restored."""

    verdict: Verdict
    why: str = ""
    differences: tuple[str, ...] = ()
    respelled: tuple[str, ...] = ()
    found: Identity | None = None


def prove(dsn: str, version: int, dump: Path, before: Identity) -> Proof:
    """Restore a dump beside the database it was taken from, and compare with what that was.

    A sequence may be ahead: its numbers are of no snapshot, and users go on taking them. A
    definition may be `respelled`: written differently by the server that reads it again. Unknown
    where no scratch database may be made.
    """
    try:
        with scratch(dsn) as copy:
            said = client.restore(copy, version, dump)
            if said:
                return Proof("fail", f"it cannot be restored: {said}")
            progress.stage("4 of 4, compare")
            found = identity.take(copy)
    except NotAllowed as refusal:
        return Proof("unknown", str(refusal))
    differences = identity.differences(before, found, ahead=True)
    respelled = tuple(str(one) for one in differences if _respelled(one))
    differing = tuple(str(one) for one in differences if not _respelled(one))
    if differing:
        return Proof("fail", _why(before, differing), differing, respelled, found)
    return Proof("pass", respelled=respelled, found=found)


def _respelled(one: Difference) -> bool:
    written = one.kind in ("catalog", "security") and one.before is not None
    return written and one.after is not None and spelling.same(str(one.before), one.after)


class NotAllowed(Refused):
    """No scratch database may be made here, so nothing is known about the dump."""


@contextmanager
def scratch(dsn: str) -> Iterator[str]:
    """DSN of a new, empty database like the named one; dropped when the block ends, however.

    Like it in how it was made, in its settings and owner, and in what it has of template0's.
    """
    with temporary.reserved(dsn, SCRATCH) as name:
        copy = admin.with_dbname(dsn, name)
        with admin.connection(dsn) as conn:
            admin.writable(conn)
            has = furniture(conn)
            _create_like(conn, name)
        with admin.connection(copy) as made:
            admin.writable(made)
            furnish(made, has)
        yield copy


def _create_like(conn: psycopg.Connection[Any], name: str) -> None:
    temporary.noticing(conn)
    around = surroundings(conn, conn.info.dbname)
    try:
        create(conn, name, making(conn, conn.info.dbname), around.tablespace)
    except psycopg.Error as error:
        raise _not_allowed(conn, error) from error
    surround(conn, name, around, limits=False)


def _not_allowed(conn: psycopg.Connection[Any], error: psycopg.Error) -> NotAllowed:
    role = conn.info.user
    if isinstance(error, errors.InsufficientPrivilege):
        return NotAllowed(
            f"it was not restored, for role {role!r} may create no database to restore it into",
            hint=f"back up as a role with CREATEDB, or: ALTER ROLE {role} CREATEDB",
        )
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return NotAllowed(
            "it was not restored, for a standby makes no database to restore it into",
            hint="back up on the primary",
        )
    return NotAllowed(
        f"it was not restored, for no database can be made: {' '.join(str(error).split())}",
        hint="remove the cause, then back up again",
    )


def _why(before: Identity, differing: tuple[str, ...]) -> str:
    text = f"the restored database differs: {len(differing)} differences"
    views = [
        name.removeprefix("materialized view ")
        for name in before.database.objects["catalog"]
        if name.startswith("materialized view ")
    ]
    stale = [view for view in views if any(f" {view}:" in f"{line}:" for line in differing)]
    if stale:
        text += f"; refresh {', '.join(stale)} first: a dump has no rows of materialized views"
    return text
