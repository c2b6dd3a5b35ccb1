"""Make a sender's key, or bind one anew: a person's decision, with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from harness.core.errors import Refused, UsageError
from harness.database import admin
from harness.people.mail.book import bind_key
from harness.people.mail.key import (
    DatabaseIdentity,
    held_key,
    make_key,
    read_identity,
    rebind_key,
)


def keep_key(dsn: str, path: Path, renew: str | None) -> DatabaseIdentity:
    """Make the key at `path` for a database, or bind it anew; what it is bound to.

    Raises UsageError where the file is there already, Refused where another key sends from the
    database, unless a reason to renew is given; AnotherRunnerError while somebody sends.
    """
    if renew is not None and not renew.strip():
        raise UsageError("--renew takes a reason", hint="say why the key is bound anew")
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        bound = read_identity(conn)
        made = not path.exists()
        if made:
            make_key(path, bound)
        elif renew is None:
            raise Refused(
                "there is a key already",
                where=str(path),
                hint="send with it; or say --renew REASON to bind it to this database",
            )
        try:
            with held_key(path) as key:
                claims = bind_key(conn, key.hash, replace=renew is not None)
                rebind_key(key, bound, claims)
        except BaseException:
            if made:
                path.unlink()
            raise
        if renew is not None:
            note_renewal(conn, renew)
    return bound


def note_renewal(conn: psycopg.Connection[Any], reason: str) -> None:
    """Write down why a key was bound anew."""
    conn.execute("INSERT INTO migration_mail.renewal (reason) VALUES (%s)", [reason[:500]])
