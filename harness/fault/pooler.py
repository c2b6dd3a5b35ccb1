"""A real PgBouncer in front of a server, in any pool mode, with files and a port of its own."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until
from harness.server import port, registry
from harness.server.account import Account, account

PoolMode = Literal["session", "transaction", "statement"]
START: Final = 10.0
ATTEMPTS: Final = 5
PROGRAM: Final = "pgbouncer"
PLACES: Final = ("/usr/sbin", "/usr/local/sbin")
"""Where it is looked for besides PATH: Debian keeps it where only root looks."""

INI: Final = """\
[databases]
{databases}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
admin_users = {admin}
logfile = {log}
pool_mode = {mode}
default_pool_size = {size}
server_round_robin = {in_turn}
# The default is two minutes.
query_wait_timeout = {patience}
"""
_PR_SET_PDEATHSIG: Final = 1


def program() -> str:
    """Where pgbouncer is; InfrastructureError when it is nowhere."""
    found = shutil.which(PROGRAM) or shutil.which(PROGRAM, path=os.pathsep.join(PLACES))
    if found is None:
        raise InfrastructureError(
            "pgbouncer: there is none on this machine", hint="install Debian's package pgbouncer"
        )
    return found


@dataclass(frozen=True)
class Pool:
    """How connections are pooled; `in_turn` hands the server connections out round robin.

    A client that gets none is sent away after `patience` seconds. Databases that are `named` have
    entries of their own, others none.
    """

    mode: PoolMode
    size: int
    in_turn: bool = False
    patience: int = 5
    named: tuple[str, ...] = ("*",)


class PgBouncer:
    """A running pgbouncer; close it. It also ends when the process that started it does."""

    def __init__(self, server_dsn: str, pool: Pool) -> None:
        self._dsn, self._server = server_dsn, conninfo_to_dict(server_dsn)
        self._program = program()
        self._who = account()
        self.home = Path(tempfile.mkdtemp(prefix="harness-pooler-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._start(pool)

    def dsn(self, dsn: str) -> str:
        """A DSN of the server, by way of the pooler."""
        return make_conninfo(dsn, host="127.0.0.1", port=str(self.port))

    def console(self) -> str:
        """A DSN of its admin console, for the user that the server's DSN names."""
        return make_conninfo(self.dsn(self._dsn), dbname="pgbouncer")

    def log(self) -> str:
        """Everything it has logged."""
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def warm(self, dsn: str, connections: int) -> None:
        """Have it open server connections to a database, as it has when it served others before."""
        clients = [psycopg.connect(self.dsn(dsn)) for _ in range(connections)]
        for client in clients:
            client.execute("select 1")  # an open transaction holds a server connection
        for client in clients:
            client.commit()  # one that is left in a transaction is closed by the pooler
            client.close()

    def close(self) -> None:
        """SIGKILL it and remove its files; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> PgBouncer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, pool: Pool) -> None:
        for _ in range(ATTEMPTS):
            self.port = _free_port()
            self._furnish(pool)
            self._process = subprocess.Popen(
                [self._program, str(self.home / "pgbouncer.ini")],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd="/", preexec_fn=_die_with_parent, **self._who.as_child(),
            )  # fmt: skip
            if self._came_up(self._process):
                return
        said = " | ".join(self.log().strip().splitlines()[-3:])
        self.close()
        raise InfrastructureError("pgbouncer: it did not start", hint=f"it said: {said}")

    def _furnish(self, pool: Pool) -> None:
        server, users = self._server, self.home / "users"
        where = f"host={server.get('host') or '127.0.0.1'} port={server.get('port') or 5432}"
        ini = INI.format(
            databases="\n".join(f"{name} = {where}" for name in pool.named),
            port=self.port, users=users, log=self.home / "log", admin=server.get("user") or "",
            mode=pool.mode, size=pool.size, in_turn=int(pool.in_turn),
            patience=pool.patience,
        )  # fmt: skip
        user, password = (_quoted(str(server.get(key) or "")) for key in ("user", "password"))
        _write(users, f"{user} {password}\n", self._who)
        _write(self.home / "pgbouncer.ini", ini, self._who)
        self._who.own(self.home)

    def _came_up(self, process: subprocess.Popen[bytes]) -> bool:
        wait_until(
            lambda: process.poll() is not None or not port.is_free(self.port),
            START, "pgbouncer to start", pause=0.005,
        )  # fmt: skip
        return process.poll() is None


def _free_port() -> int:
    """A port that no server has reserved; whoever takes it first makes us try another."""
    lowest, highest = port.bounds()
    taken = registry.ports()
    candidates = (random.randint(lowest, highest) for _ in range(200))  # noqa: S311 - no secret
    return next(one for one in candidates if one not in taken and port.is_free(one))


def _write(path: Path, text: str, who: Account) -> None:
    """Write a file that only the pooler's account may read: it may hold a password."""
    path.touch(mode=0o600)
    path.write_text(text)
    who.own(path)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _die_with_parent() -> None:
    if hasattr(os, "sched_setaffinity"):  # Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
