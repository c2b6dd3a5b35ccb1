"""Prefixes of a server's write-ahead log: copies of its data directory, recovered to any of them.

A base is a copy made while the server runs and nobody works, so its control file says that it was
never stopped: a postgres started on it does crash recovery, through whatever log it is given.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError
from harness.database import admin
from harness.fault.wal_records import Segments, position
from harness.server import Server, directories, port, registry
from harness.server.account import Account, environment
from harness.server.local import LocalServer
from harness.server.profile import as_file

KEEPING: Final = {"wal_keep_size": "1TB", "autovacuum": "off"}
"""What a server is told whose log is to be kept, and written by nobody but the run."""
COPY: Final = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
"""What a recovered copy is told: nobody kills it before it is judged."""
LEFT_OUT: Final = {"pg_wal", "pg_dynshmem", "postmaster.pid", "postmaster.opts"}
REDO_DONE: Final = re.compile(r"redo done at ([0-9A-F]+/[0-9A-F]+)")


@dataclass(frozen=True)
class BaseCopy:
    """A copy of a data directory without its log; what comes after position `at` can be redone."""

    directory: Path
    redo: int
    at: int


@dataclass(frozen=True)
class Recovery:
    """A server that has recovered a prefix of the log; `redone` is the last record it replayed."""

    server: LocalServer
    redone: int | None


def keeping(server: Server) -> LocalServer:
    """Make a running server keep all its log; only one whose files are ours can be copied."""
    able = server.capabilities
    if not (able.local_files and able.can_kill and isinstance(server, LocalServer)):
        raise InfrastructureError(
            f"the log of server {server.provider!r} cannot be cut, its files are not ours",
            hint="use the embedded wheel or Postgres installed on this machine",
        )
    with (server.data_dir / "postgresql.auto.conf").open("a") as conf:
        conf.write(as_file(KEEPING))
    server.restart()
    return server


def inserted(server_dsn: str) -> int:
    """Where the next record will be written."""
    with admin.connection(server_dsn) as conn:
        return _position(conn.execute("select pg_catalog.pg_current_wal_insert_lsn()").fetchone())


def take(server: LocalServer, name: str) -> BaseCopy:
    """Checkpoint a server that nobody works on, and copy it; the copy goes when the server does."""
    with admin.connection(server.dsn()) as conn:
        conn.execute("checkpoint")
        redo = conn.execute("select redo_lsn from pg_catalog.pg_control_checkpoint()").fetchone()
    account = _account(server)
    directory = server.home / "bases" / name
    for made in (directory.parent, directory):
        if not made.exists():
            _mkdir(made, account)
    _copy(
        [path for path in server.data_dir.iterdir() if path.name not in LEFT_OUT],
        directory,
        account,
    )
    for left in ("pg_wal", "pg_dynshmem"):
        _mkdir(directory / left, account)
    with (directory / "postgresql.auto.conf").open("a") as conf:
        conf.write(as_file(COPY))
    return BaseCopy(directory, _position(redo), inserted(server.dsn()))


@contextmanager
def recovered(source: LocalServer, base: BaseCopy, end: int) -> Iterator[Recovery]:
    """A server started on a copy of a base and the log of `source` up to a position."""
    record = {**source.record(), "id": registry.new_id()}
    record["home"] = str(source.home.parent / record["id"])
    copy = LocalServer(port.reserve(record))
    account = _account(source)
    try:
        directories.make_home(copy.home.parent, copy.home.name)
        account.own(copy.home)
        _mkdir(copy.socket_dir, account)
        _copy([base.directory], copy.data_dir, account)
        _write_log(source.data_dir / "pg_wal", copy.data_dir / "pg_wal", base.redo, end, account)
        copy.start()
        found = REDO_DONE.search(copy.log())
        yield Recovery(copy, position(found[1]) if found else None)
    finally:
        copy.close()


def _write_log(source: Path, target: Path, start: int, end: int, account: Account) -> None:
    """Give a copy the log from the segment of `start` on; from `end` on it is zeros."""
    segments = Segments.of(source)
    size = segments.size
    for begin in range(start - start % size, end, size):
        name = segments.name_at(begin)
        with (source / name).open("rb") as whole, (target / name).open("wb") as segment:
            segment.write(whole.read(end - begin))
            segment.truncate(size)  # a hole reads as zeros: no record begins there
        (target / name).chmod(0o600)
        account.own(target / name)


def _account(server: LocalServer) -> Account:
    record = server.record()
    return Account(record["uid"], record["gid"], record["uid"] != os.geteuid())


def _mkdir(path: Path, account: Account) -> None:
    path.mkdir(mode=0o700)
    account.own(path)


def _copy(sources: list[Path], target: Path, account: Account) -> None:
    """Copy as the server's account, so that the copies are its own."""
    command = ["cp", "-Rp", *map(str, sources), str(target)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env=environment(),
        **account.as_child(),
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise InfrastructureError(
            f"copying a data directory failed: {' '.join(said)}", hint="look for room on its disk"
        )


def _position(row: tuple[str] | None) -> int:
    assert row is not None, "the server says where its log is"
    return position(row[0])
