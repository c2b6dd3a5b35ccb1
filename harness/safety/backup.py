"""Back up a database, and restore it: a backup counts once it was restored and was the same.

The fingerprint and the dump are of one snapshot. What the backup is then said to hold is what came
out of it when it was restored.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from harness.core import progress
from harness.core.errors import HarnessError, InfrastructureError, Refused
from harness.database import admin, temporary
from harness.database import dump as client
from harness.database.creation import making
from harness.database.template0 import Furniture, add, furniture, remove
from harness.safety import identity, manifest
from harness.safety.directory import DUMP, new_or_empty
from harness.safety.identity import Identity
from harness.safety.manifest import BackupManifest, File
from harness.safety.proof import Proof, Verdict, prove
from harness.safety.target import refuse_unfit
from harness.server import find_client, settle

# Roles that are pinned by the server, its first superuser, are not in pg_shdepend; as owners they
# are in the fingerprint.
_ROLES: Final = """
SELECT DISTINCT r.rolname::text
FROM pg_catalog.pg_shdepend AS s JOIN pg_catalog.pg_roles AS r ON r.oid = s.refobjid
JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid AND d.datname = current_database()
WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass
"""


OLDER: Final = (
    "rows and sequences are those of the backup; definitions and rights were not compared, for the"
    " version of the harness that took it wrote down less of them: look at them, or back up anew"
)


@dataclass(frozen=True)
class Backup:
    """A backup. Unless its verdict is pass, `restore` refuses it; `why` says what it lacks.

    `respelled` are definitions that the server writes differently once it has read them again.
    """

    verdict: Verdict
    why: str
    directory: str
    database: str
    files: tuple[File, ...]
    fingerprint: dict[str, str]
    rows: dict[str, int]
    roles: tuple[str, ...]
    differences: tuple[str, ...]
    respelled: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Restored:
    """A restored database, and whether it is the one that was backed up, or why nobody knows."""

    verdict: Verdict
    directory: str
    files: tuple[File, ...]
    fingerprint: dict[str, str]
    rows: dict[str, int]
    differences: tuple[str, ...]
    why: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)


def backup(dsn: str, directory: Path) -> Backup:
    """Dump the database into a new or empty directory, and prove the dump by restoring it.

    The database is only read; the scratch database beside it is dropped again. When an error ends
    this, the directory is as it was.
    """
    dsn = settle(dsn)
    with admin.connection(dsn) as conn:
        server_version = conn.info.server_version
        made, has = making(conn, conn.info.dbname), furniture(conn)
    major = server_version // 10_000
    for name in ("pg_dump", "pg_restore"):
        find_client(name, major)  # before anything is written
    with new_or_empty(directory):
        created_at = datetime.now(UTC).isoformat(timespec="seconds")
        progress.stage("1 of 4, read")
        with identity.held(dsn) as moment:
            before = moment.identity()  # sequences too: those of the dump are then never behind
            roles = _roles(dsn, before)
            progress.stage("2 of 4, dump")
            said = client.dump(dsn, major, directory / DUMP, moment.export())
        if said:
            raise _not_dumped(said)
        progress.stage("3 of 4, restore")
        proof = prove(dsn, major, directory / DUMP, before)
        written = _manifest(dsn, directory, proof, before, (server_version, created_at, roles))
        written = dataclasses.replace(written, made=made, has=has)
        manifest.write(written, directory)
    return _backup(directory, written, proof)


def restore(dsn: str, directory: Path) -> Restored:
    """Restore a proven backup into an empty database, and compare it with what was backed up.

    Everything is checked first: whatever is refused, nothing is touched. A restore that fails
    leaves nothing.
    """
    told = manifest.read(directory)
    if not told.verified:
        raise Refused(
            f"this backup was never proven: {told.why}", where=str(directory),
            hint="take another one whose verdict is pass",
        )  # fmt: skip
    manifest.check_files(told, directory)
    before = identity.load(directory, [file.name for file in told.files])
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        temporary.tidy(conn)
    refuse_unfit(dsn, told)
    progress.stage("1 of 2, restore")
    with _furnished(dsn, told.has):
        said = client.restore(dsn, told.major, directory / DUMP)
        if said:
            raise Refused(
                f"the backup could not be restored, and nothing of it was: {said}",
                hint="connect as a superuser, or as a role that may make and own all that is in it",
            )
    progress.stage("2 of 2, compare")
    after = identity.take(dsn)
    differing = tuple(str(one) for one in identity.differences(before, after))
    why = OLDER if before.is_older and not differing else ""
    return Restored(
        verdict="fail" if differing else "unknown" if why else "pass",
        directory=str(directory),
        files=told.files,
        fingerprint=after.digests,
        rows=after.rows,
        differences=differing,
        why=why,
    )


@contextmanager
def _furnished(dsn: str, wanted: Furniture) -> Iterator[None]:
    """Around a restore: what template0 brings is there before it, and what is not wanted of that
    gone after it; when the block fails, the database is as it was.
    """
    with admin.connection(dsn) as conn:
        admin.writable(conn)
        try:
            had = add(conn, wanted)
        except psycopg.Error as error:
            raise Refused(
                f"the database lacks what the backup needs: {' '.join(str(error).split())}",
                hint="restore into a new database: CREATE DATABASE … TEMPLATE template0",
            ) from error
        try:
            yield
        except BaseException:
            remove(conn, had)
            raise
        with contextlib.suppress(psycopg.Error):  # then it differs, and the comparison says so
            remove(conn, wanted)


def _roles(dsn: str, found: Identity) -> tuple[str, ...]:
    """The roles that a restore needs: those that own or may do something; not the built-in ones."""
    with admin.connection(dsn) as conn:
        named = {name for (name,) in conn.execute(_ROLES).fetchall()}
    return tuple(sorted(name for name in named | found.owners if not name.startswith("pg_")))


def _not_dumped(said: str) -> HarnessError:
    message = f"the database cannot be dumped: {said}"
    if "permission denied" in said or "must be" in said:
        return Refused(message, hint="connect as a role that may read everything")
    return InfrastructureError(message, hint="remove the cause, then back up again")


def _manifest(
    dsn: str,
    directory: Path,
    proof: Proof,
    before: Identity,
    facts: tuple[int, str, tuple[str, ...]],
) -> BackupManifest:
    server_version, created_at, roles = facts
    held = proof.found if proof.found is not None and proof.verdict == "pass" else before
    dumped = (directory / DUMP).rglob("*")
    names = [str(path.relative_to(directory)) for path in dumped if path.is_file()]
    return BackupManifest(
        verified=proof.verdict == "pass",
        why=proof.why,
        database=admin.dbname(dsn),
        server_version=server_version,
        created_at=created_at,
        roles=roles,
        files=manifest.described(directory, names + identity.save(held, directory)),
        fingerprint=held.digests,
        rows=held.rows,
    )


def _backup(directory: Path, written: BackupManifest, proof: Proof) -> Backup:
    return Backup(
        verdict=proof.verdict,
        why=proof.why,
        directory=str(directory),
        database=written.database,
        files=written.files,
        fingerprint=dict(written.fingerprint),
        rows=dict(written.rows),
        roles=written.roles,
        differences=proof.differences,
        respelled=proof.respelled,
    )
