"""The sender's key: a file outside of the database, without which nobody sends from it.

It is bound to one database: the cluster's system identifier, the database's oid and name, and the
timeline. A clone, a restored backup and a promoted standby are other databases. The file also
counts the mails: a database that was put back to an earlier state has counted less.

A copy of the file is a key as good as the first. What it can do: send from the same database, in
turns, since the lease in the database has one holder; and from a copy of the whole cluster's
files, which nothing tells from the cluster itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from harness.core.errors import AnotherRunnerError, Refused, UsageError

FILE: Final = "sender.key"
_DIGITS: Final = 20
_WHO: Final = """
SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()), d.oid::bigint,
  d.datname::text, pg_catalog.substr(pg_catalog.pg_walfile_name(
    pg_catalog.pg_current_wal_insert_lsn()), 1, 8)
FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
"""
_RENEW: Final = "if this is the database all the same, say harness notify key --renew REASON"


@dataclass(frozen=True)
class DatabaseIdentity:
    """What tells a database from every copy of it."""

    system_identifier: str
    oid: int
    name: str
    timeline: str


def read_identity(conn: psycopg.Connection[Any]) -> DatabaseIdentity:
    """The identity of the database; Refused for a standby, which has none of its own."""
    row = conn.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone()
    if row is None or row[0]:
        raise Refused(
            "the server is a standby: mails are sent from the primary alone",
            hint="name the primary",
        )
    found = conn.execute(_WHO).fetchone()
    assert found is not None, "a session is in a database"
    return DatabaseIdentity(*found)


@dataclass(frozen=True)
class SenderKey:
    """A key that this process holds. `claims`: how many mails it had counted when it was opened."""

    path: Path
    descriptor: int
    secret: bytes
    bound: DatabaseIdentity
    claims: int

    @property
    def hash(self) -> str:
        """What the database knows of it."""
        return hashlib.sha256(self.secret).hexdigest()

    @property
    def holder(self) -> str:
        """Who holds this file, on this machine, since it was started: a copy is another holder."""
        about = os.fstat(self.descriptor)
        boot = Path("/proc/sys/kernel/random/boot_id")
        started = boot.read_text() if boot.exists() else ""
        words = f"{socket.gethostname()} {started} {about.st_dev} {about.st_ino}"
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def count(self, claims: int) -> None:
        """Write down how many mails the database has counted."""
        os.pwrite(self.descriptor, _spelled(claims), 0)

    def refuse_other(self, found: DatabaseIdentity) -> None:
        """Raise Refused for another database than the one that the key is bound to."""
        for word, mine, theirs in (
            ("the cluster", self.bound.system_identifier, found.system_identifier),
            ("the database's oid", self.bound.oid, found.oid),
            ("the database's name", self.bound.name, found.name),
            ("the timeline", self.bound.timeline, found.timeline),
        ):
            if mine != theirs:
                raise Refused(
                    f"the key is bound to another database: {word} is {theirs}, and was {mine};"
                    " a clone, a restored backup or a promoted standby sends nothing",
                    where=str(self.path),
                    hint=_RENEW,
                )


def make_key(path: Path, bound: DatabaseIdentity) -> None:
    """Make the file of a new key, for its owner alone; UsageError where it cannot be made."""
    _write(path, secrets.token_bytes(32), bound, 0, os.O_EXCL)


def rebind_key(key: SenderKey, bound: DatabaseIdentity, claims: int) -> None:
    """Bind the key to another database, in which so many mails are counted."""
    _write(key.path, key.secret, bound, claims, 0)


def _write(path: Path, secret: bytes, bound: DatabaseIdentity, claims: int, flags: int) -> None:
    text = _spelled(claims) + json.dumps({"secret": secret.hex(), **asdict(bound)}).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, text)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"cannot write the key: {error.strerror}", where=str(path)) from error


@contextmanager
def held_key(path: Path) -> Iterator[SenderKey]:
    """Hold the key for the length of the block.

    Raises UsageError for a file that is none or that others may read, AnotherRunnerError while
    another process holds it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(
            f"the sender's key cannot be opened: {error.strerror}",
            where=str(path),
            hint="make one with harness notify key, where mails are to be sent from",
        ) from None
    try:
        _refuse_readable(path, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherRunnerError(
                "another sender holds the key", where=str(path), hint="let that one go on"
            ) from None
        yield _read(path, descriptor)
    finally:
        os.close(descriptor)


def _refuse_readable(path: Path, descriptor: int) -> None:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise UsageError(
            "others may read the sender's key", where=str(path), hint=f"chmod 600 {path}"
        )


def _read(path: Path, descriptor: int) -> SenderKey:
    content = os.pread(descriptor, 4096, 0)
    try:
        first, _, rest = content.partition(b"\n")
        told = json.loads(rest)
        secret = bytes.fromhex(told.pop("secret"))
        bound = DatabaseIdentity(**told)
        return SenderKey(path, descriptor, secret, bound, int(first))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UsageError("is not the file of a sender's key", where=str(path)) from None


def _spelled(claims: int) -> bytes:
    return f"{claims:0{_DIGITS}}\n".encode()
