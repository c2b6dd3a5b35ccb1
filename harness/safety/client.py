"""Run pg_dump and pg_restore on a database; no password is ever on their command line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.errors import UsageError
from harness.server import find_client, mask

LOCK_WAIT: Final = (
    "30s"  # as long as the fingerprint waits; then whoever holds the lock is in the way
)
_SHOWN: Final = 3  # lines of what a program complains of


def dump(dsn: str, version: int, directory: Path, snapshot: str | None, *more: str) -> str:
    """Dump a database into a new directory; what pg_dump complained of, empty when it is done.

    `version` is the server's major version, `snapshot` one that another session exported and holds.
    """
    options = ["--format=directory", f"--file={directory}", f"--lock-wait-timeout={LOCK_WAIT}"]
    options.append("--no-subscriptions")  # a second subscriber would take the first one's slot
    if snapshot is not None:
        options.append(f"--snapshot={snapshot}")
    return _run(find_client("pg_dump", version), dsn, *options, *more)


def restore(dsn: str, version: int, directory: Path) -> str:
    """Restore a dump, all of it or nothing; what pg_restore complained of, or nothing."""
    program = find_client("pg_restore", version)
    return _run(program, dsn, "--exit-on-error", "--single-transaction", str(directory))


def handed_over(dsn: str) -> tuple[str, dict[str, str]]:
    """A connection string to be seen by everybody, and the environment that has its password."""
    fields = {key: value for key, value in conninfo_to_dict(dsn).items() if value is not None}
    if "sslpassword" in fields:
        raise UsageError(
            "pg_dump takes the password of a client key only where everybody sees it",
            hint="name a client key without a password",
        )
    password = fields.pop("password", None)
    # the dump is then in the database's own encoding
    environment = {key: value for key, value in os.environ.items() if key != "PGCLIENTENCODING"}
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo(**fields), environment  # type: ignore[arg-type] # libpq's own names


def _run(program: Path, dsn: str, *options: str) -> str:
    seen, environment = handed_over(dsn)
    done = subprocess.run(
        [str(program), "--no-password", f"--dbname={seen}", *options],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return ""
    said = " ".join([line.strip() for line in done.stderr.splitlines() if line.strip()][:_SHOWN])
    return mask(said) or f"{program.name} ended with status {done.returncode}"
