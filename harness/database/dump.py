"""The one client of pg_dump and pg_restore: where they connect, as whom, and under which limits.

What they are told of the DSN goes through their environment and, where libpq has no variable for
it, through a service file that only they can open: a command line is everybody's to read. They go
to the server that our own session met.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import make_conninfo

from harness.core import progress
from harness.core.child import dies_with_us
from harness.core.errors import InfrastructureError, UsageError
from harness.database import admin, limits
from harness.server import find_client, redact, settle, shell
from harness.server.dsn import Dsn, fields, replaced

LOCK_WAIT: Final = (
    "30s"  # as long as the fingerprint waits; then whoever holds the lock is in the way
)
LOOKS: Final = 0.5  # seconds between two looks at a program
_SHOWN: Final = 3  # lines of what a program complains of
_SERVICE: Final = "harness"
_UNKNOWN: Final = re.compile(r'invalid connection option "(\w+)"')
# A dump is in the database's own encoding; a program has a name of its own.
_NOT_HANDED_ON: Final = ("client_encoding", "replication", "dbname", "service", "servicefile")
# A copy has the settings of its database, and these keep a dump from it or change what it holds.
_READ_BACK: Final = (
    "-c default_transaction_read_only=off -c array_nulls=on -c transform_null_equals=off"
    " -c intervalstyle=postgres -c standard_conforming_strings=on"
)


Look: TypeAlias = Callable[[int], None]


def _nothing(_: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Program:
    """A program, what it is told, and which words of the DSN its libpq does not know."""

    path: Path
    dbname: str
    environment: Mapping[str, str]
    service: str
    unknown: tuple[str, ...]

    def start(self, *options: str, **streams: Any) -> subprocess.Popen[bytes]:
        """Run it; `streams` are Popen's. It ends when we do."""
        file = _readable(self.service) if self.service else None
        try:
            environment = dict(self.environment)
            if file is not None:
                environment["PGSERVICEFILE"] = f"/dev/fd/{file}"
            return subprocess.Popen(
                [str(self.path), "--no-password", f"--dbname={self.dbname}", *options],
                env=environment, pass_fds=() if file is None else (file,),
                preexec_fn=dies_with_us(), **streams,
            )  # fmt: skip
        finally:
            if file is not None:
                os.close(file)

    def run(self, *options: str, look: Look = _nothing) -> tuple[int, bytes, str]:
        """Its exit status, what it wrote, and what it complained of.

        While it works `look` is called with its process id, a few times a second.
        """
        child = self.start(*options, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    written, complaints = child.communicate(timeout=LOOKS)
                    break
                look(child.pid)
        finally:
            if child.poll() is None:  # we were interrupted
                child.kill()
                child.wait()
        return child.returncode, written, self.said(complaints, child.returncode)

    def said(self, complaints: bytes, status: int) -> str:
        """Its first complaints on one line without a password, empty when it was done."""
        if status == 0:
            return ""
        lines = [line.strip() for line in complaints.decode("utf-8", "replace").splitlines()]
        said = redact(" ".join([line for line in lines if line][:_SHOWN]))
        said = said or f"{self.path.name} ended with status {status}"
        if self.unknown:
            said += f" ({_version(self.path)} does not know {', '.join(self.unknown)} of the DSN)"
        return said


def program(
    name: str, version: int, dsn: str, *, path: Path | None = None, **variables: str
) -> Program:
    """pg_dump or pg_restore for a server of this major version, told where to connect.

    `variables` are put into its environment besides. What its libpq does not know is left out: the
    server is known by now, and our own session was let in on the DSN's terms. Raises
    InfrastructureError when there is no such program or no connection.
    """
    found_at = path or find_client(name, version)
    settled = settle(dsn, named=False)
    found = {**fields(settled), **_options(settled, version)}
    told = {key: value for key, value in found.items() if key not in _NOT_HANDED_ON and value}
    unknown = _unknown(found_at, frozenset(told.keys() - _OLD))
    environment = {**shell.without(), "LC_ALL": "C", **variables}
    rest = {}
    for key, value in told.items():
        variable = _variables().get(key)
        if variable:
            environment[variable] = value
        elif key not in unknown:
            rest[key] = value
    name_of = {"service": _SERVICE} if rest else {}
    return Program(
        path=found_at,
        dbname=make_conninfo(dbname=found.get("dbname", "postgres"), **name_of),
        environment=environment,
        service=_service_file(rest) if rest else "",
        unknown=tuple(sorted(unknown)),
    )


def dump(dsn: str, version: int, directory: Path, snapshot: str | None, *more: str) -> str:
    """Dump a database into a new directory; what pg_dump complained of, empty when it is done.

    `version` is the server's major version, `snapshot` one that another session exported and holds.
    """
    options = ["--format=directory", f"--file={directory}", f"--lock-wait-timeout={LOCK_WAIT}"]
    options.append("--no-subscriptions")  # a second subscriber would take the first one's slot
    if snapshot is not None:
        options.append(f"--snapshot={snapshot}")
    return program("pg_dump", version, dsn).run(*options, *more, look=_written(directory))[2]


def restore(dsn: str, version: int, directory: Path) -> str:
    """Restore a dump, all of it or nothing; what pg_restore complained of, or nothing."""
    options = ("--exit-on-error", "--single-transaction", str(directory))
    return program("pg_restore", version, dsn).run(*options, look=_read(directory))[2]


def _written(directory: Path) -> Look:
    """Tells how large the dump is; nobody knows how large it will be, for it is compressed."""
    return lambda _: progress.tell("pg_dump", _size(directory), 0, "bytes")


def _read(directory: Path) -> Look:
    """Tells how much of the dump was read, where the system says so."""
    total = _size(directory)

    def look(pid: int) -> None:
        with contextlib.suppress(OSError, ValueError):
            lines = Path(f"/proc/{pid}/io").read_text("ascii").splitlines()
            read = int(dict(line.split(": ") for line in lines)["rchar"])
            progress.tell("pg_restore", min(read, total), total, "bytes")

    return look


def _size(directory: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in directory.iterdir())
    return 0


def _options(settled: Dsn, version: int) -> dict[str, str]:
    """No limit of time, and rows read as they were written; nothing where a pooler takes no
    `options`: the programs set most by themselves.
    """
    given = fields(settled).get("options", "")
    options = f"{given} {_READ_BACK} {limits.as_options(version)}".strip()
    try:
        admin.connect(replaced(settled, options=options)).close()
    except InfrastructureError as error:
        if "unsupported startup parameter" in error.message:
            return {}
        raise
    return {"options": options}


@functools.cache
def _variables() -> Mapping[str, str]:
    options = psycopg.pq.Conninfo.get_defaults()
    return {one.keyword.decode(): one.envvar.decode() for one in options if one.envvar}


_OLD: Final = frozenset(
    {
        *("host", "hostaddr", "port", "user", "password", "passfile", "options"),
        *("application_name", "fallback_application_name", "connect_timeout", "tcp_user_timeout"),
        *("sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "krbsrvname"),
        *("gssencmode", "target_session_attrs", "channel_binding"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
    }
)
"""Words that every libpq of a supported release knows; it is asked about the others."""


@functools.cache
def _unknown(path: Path, words: frozenset[str]) -> frozenset[str]:
    """Which of these words a program's libpq does not know: it names one at a time."""
    asked = path.with_name("pg_dump")
    if not asked.exists():
        return words
    unknown: set[str] = set()
    while words - unknown:
        said = _refusal(asked, sorted(words - unknown))
        match = _UNKNOWN.search(said)
        if match is None or match[1] not in words:
            break
        unknown.add(match[1])
    return frozenset(unknown)


def _refusal(path: Path, words: list[str]) -> str:
    """What pg_dump says to words without values; it never gets as far as a server."""
    nowhere = " ".join(["host=/nowhere", *(f"{word}=''" for word in words)])
    done = subprocess.run(
        [str(path), "--no-password", f"--dbname={nowhere}"],
        env={**shell.without(), "LC_ALL": "C"}, capture_output=True, check=False,
    )  # fmt: skip
    return done.stderr.decode("utf-8", "replace")


@functools.cache
def _version(path: Path) -> str:
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"\d+(?:\.\d+)*", done.stdout)
    return f"{path.name} {number[0] if number else 'of an unknown version'}"


def _service_file(found: Mapping[str, str]) -> str:
    for key, value in found.items():
        if value != value.strip() or "\n" in value:
            raise UsageError(
                f"the DSN's {key} begins or ends with a blank, or has two lines: no pg_dump can"
                " be told of it but where everybody sees it",
                hint="choose another",
            )
    return "".join([f"[{_SERVICE}]\n", *(f"{key}={value}\n" for key, value in found.items())])


def _readable(text: str) -> int:
    """A descriptor to read a text from, for a child alone: the text is never in a file."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("harness", 0)
        os.write(file, text.encode())
        os.lseek(file, 0, os.SEEK_SET)
        return file
    file, end = os.pipe()  # short enough for its buffer
    os.write(end, text.encode())
    os.close(end)
    return file
