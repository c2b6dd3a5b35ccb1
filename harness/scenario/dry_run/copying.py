"""Copy what is in a database with pg_dump into pg_restore: where it cannot be cloned on its server.

The rows go through a pipe: nothing of them ever lies in a file.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from harness.core.errors import HarnessError, InfrastructureError, Refused
from harness.database import admin
from harness.database import dump as client
from harness.server import redact, settle
from harness.server.dsn import fields, replaced

_WRITING: Final = "-c default_transaction_read_only=off"
"""A database may be read-only by its own settings, which its copy has too."""
_SHOWN: Final = 3  # lines of what a program complains of


class NotRestoredError(Exception):
    """The dump could not be restored into that copy; into another it may."""


def copy(source: str, target: str) -> None:
    """Dump one database, reading only, and restore it into another, which is empty.

    Raises what the dump met; NotRestoredError when it was the restore.
    """
    source = settle(source)
    with admin.connection(source) as conn:
        version = conn.info.server_version // 10_000
        conn.execute("begin isolation level repeatable read read only")
        row = conn.execute("select pg_export_snapshot()").fetchone()  # no other server has it
        assert row is not None
        _pipe(source, _writable(target), version, str(row[0]))
    with admin.connection(target) as conn:
        conn.execute("vacuum (analyze)")  # a restored table has no statistics


def _pipe(source: str, target: str, version: int, snapshot: str) -> None:
    with tempfile.TemporaryFile() as complaints, tempfile.TemporaryFile() as others:
        dump = _started("pg_dump", version, source, complaints, subprocess.DEVNULL,
                        "--format=custom", "--compress=0", "--no-subscriptions",
                        f"--snapshot={snapshot}")  # fmt: skip
        with _ended_at_last(dump):
            restore = _started("pg_restore", version, target, others, dump.stdout,
                               "--exit-on-error")  # fmt: skip
            with _ended_at_last(restore):
                assert dump.stdout is not None
                dump.stdout.close()  # ours; the restore's end of it is what the dump then notices
                restored, dumped = restore.wait(), dump.wait()
        if restored and dumped in (0, -signal.SIGPIPE, 1) and "pipe" in _said(complaints).lower():
            dumped = 0
        if dumped and dumped != -signal.SIGPIPE:
            raise _failed(_said(complaints) or f"it ended with status {dumped}")
        if restored:
            raise NotRestoredError(f"pg_restore: {_said(others)}")


def _started(
    name: str, version: int, dsn: str, errors: IO[bytes], stdin: IO[bytes] | int | None,
    *options: str,
) -> subprocess.Popen[bytes]:  # fmt: skip
    written = subprocess.PIPE if name == "pg_dump" else None
    asked = client.program(name, version, dsn)
    return asked.start(*options, stdin=stdin, stdout=written, stderr=errors)


@contextmanager
def _ended_at_last(child: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _said(file: IO[bytes]) -> str:
    file.seek(0)
    lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    return redact(" ".join([line for line in lines if line][:_SHOWN]))


def _failed(said: str) -> HarnessError:
    message = f"the database cannot be copied: pg_dump: {said}"
    hint = "give --clone template when nobody is connected, or a role that may read everything"
    if "permission denied" in said or "must be" in said or "row-level security" in said:
        return Refused(message, hint=hint)
    return InfrastructureError(message, hint=hint)


def _writable(dsn: str) -> str:
    options = fields(dsn).get("options")
    return replaced(dsn, options=f"{options} {_WRITING}" if options else _WRITING)
