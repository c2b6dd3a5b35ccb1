"""Whether a backup may go into a database: empty, of the same version, every role there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import psycopg

from harness.core.errors import Refused
from harness.database import admin
from harness.database.creation import making, statement
from harness.safety.manifest import BackupManifest

_OCCUPIED: Final = (Path(__file__).parent / "occupied.sql").read_text()
_MISSING: Final = """
SELECT name FROM unnest(%s::text[]) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) ORDER BY 1
"""
_SHOWN: Final = 5


def refuse_unfit(dsn: str, manifest: BackupManifest) -> None:
    """Refuse a database that the backup cannot go into as it was; nothing is written."""
    with admin.connection(dsn) as conn:
        _refuse_other_version(conn.info.server_version // 10_000, manifest)
        _refuse_other_making(conn, manifest)
        _refuse_occupied(conn)
        _refuse_missing_roles(conn, manifest)


def _refuse_other_version(major: int, manifest: BackupManifest) -> None:
    if major != manifest.major:
        raise Refused(
            f"the backup is of Postgres {manifest.major}, the server is {major}: a restored"
            " database could not be compared with what it was",
            hint="restore on the same major version, or use pg_restore by hand",
        )


def _refuse_other_making(conn: psycopg.Connection[Any], manifest: BackupManifest) -> None:
    """A backup of an earlier version does not say how its database was made: nothing to refuse."""
    if manifest.made is None:
        return
    unlike = making(conn, conn.info.dbname).unlike(manifest.made)
    if unlike:
        raise Refused(
            f"the database was made in another way than the one backed up: {'; '.join(unlike)};"
            " text would be stored, sorted or compared differently",
            hint=f"make an empty one: {statement('NAME', manifest.made).as_string(conn)}",
        )


def _refuse_occupied(conn: psycopg.Connection[Any]) -> None:
    names = [name for (name,) in conn.execute(_OCCUPIED.encode()).fetchall()]
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise Refused(
            f"the database is not empty: it holds {', '.join(names[:_SHOWN])}{more}",
            hint="name an empty database",
        )


def _refuse_missing_roles(conn: psycopg.Connection[Any], manifest: BackupManifest) -> None:
    names = [name for (name,) in conn.execute(_MISSING, [list(manifest.roles)]).fetchall()]
    if names:
        raise Refused(
            f"the server has no role {', '.join(names)}, which the backup needs: it owns"
            " or may do something",
            hint="create them first; a backup of a database has no roles",
        )
