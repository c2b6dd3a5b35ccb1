"""A server from binaries on this machine: embedded wheel or system installation.

All state is in its home directory and its record, none in this object: any process that attaches to
the record can stop, kill and start it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError
from harness.core.poll import wait_until
from harness.server import directories, pidfile, port, process, registry
from harness.server.account import Account, environment
from harness.server.dsn import url
from harness.server.installation import Installation
from harness.server.logfile import FileLog
from harness.server.prepared import USER, Prepared
from harness.server.protocol import Capabilities, Record, StopMode
from harness.server.readiness import answers, last_refusal, wait_for

START_TIMEOUT: Final = 60.0
LONGEST_SOCKET_DIR: Final = 85
_STOP_SIGNAL: Final = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_PORT_TAKEN: Final = re.compile(r"could not (?:bind IPv4 address|create any TCP/IP sockets)")
_NOT_GONE_YET: Final = re.compile(r"pre-existing shared memory block|lock file \"postmaster.pid\"")
_children: dict[int, subprocess.Popen[bytes]] = {}


class LocalServer(FileLog):
    """A postmaster of ours. `prepared` is needed for its first start only."""

    def __init__(self, record: Record, prepared: Prepared | None = None) -> None:
        self._record = record
        self._prepared = prepared
        self.provider: str = record["provider"]
        self.why: str = record["why"]
        self.passed_over: tuple[str, ...] = tuple(record["passed_over"])
        self.version: int = record["version"]
        self.profile: str = record["profile"]
        self.home = Path(record["home"])
        self.data_dir = self.home / "data"
        self.bin_dir = Path(record["bin_dir"])
        self._account = Account(record["uid"], record["gid"], record["uid"] != os.geteuid())
        super().__init__(self.home / "log")

    @property
    def capabilities(self) -> Capabilities:
        """Everything is possible with a server whose processes and files are ours."""
        return Capabilities(True, True, on_tmpfs=self._record["on_tmpfs"], local_files=True)

    @property
    def pid(self) -> int | None:
        """The postmaster's pid: from its pid file, if that process lives and works in our data
        directory.
        """
        found = pidfile.read(self.data_dir)
        if found is None or process.started(found.pid) is None:
            return None
        return found.pid if process.works_in(found.pid, self.data_dir) else None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; it stays the same over a restart."""
        return int(self._record["port"])

    @property
    def socket_dir(self) -> Path:
        """The private directory of its Unix socket."""
        return self.home / "sock"

    def start(self) -> None:
        """Copy the prepared directory (first time), run postgres, return when it answers."""
        if self.pid is not None:
            self.wait_ready()
            return
        first = not self.data_dir.exists()
        if first:
            self._furnish()
        deadline = _Deadline(START_TIMEOUT)
        while True:
            offset = self.log_offset()
            _collect()
            self._remove_stale_locks()
            child = self._launch()
            if self._came_up(child, deadline):
                return
            said = self.log(offset)
            if first and _PORT_TAKEN.search(said):
                self._record = port.reserve(self._record, avoid=self.port)
            elif deadline.passed or not (_PORT_TAKEN.search(said) or _NOT_GONE_YET.search(said)):
                raise InfrastructureError(
                    f"postgres {self.version} did not start", where=str(self.home / "log"),
                    hint=self._why_not(said),
                )  # fmt: skip
            else:
                self._wait_for_obstacle(deadline)

    def _why_not(self, said: str) -> str:
        refusal = last_refusal(self.dsn())
        ours = f"our client was told: {refusal}; " if refusal else ""
        return f"{ours}it said: " + " | ".join(said.strip().splitlines()[-4:])

    def _remove_stale_locks(self) -> None:
        """Remove a dead postmaster's locks: postgres takes a zombie for alive."""
        if self.pid is None and not process.of_server(self.data_dir):
            for lock in (
                self.data_dir / "postmaster.pid",
                *self.socket_dir.glob(".s.PGSQL.*.lock"),
            ):
                lock.unlink(missing_ok=True)

    def _wait_for_obstacle(self, deadline: _Deadline) -> None:
        """Wait for what a killed predecessor left to go: its processes, its port, its shared
        memory.
        """
        with contextlib.suppress(TimeoutError):
            wait_until(self._nothing_in_the_way, min(deadline.left, 5.0), "the way to be free")

    def _nothing_in_the_way(self) -> bool:
        return not process.of_server(self.data_dir) and port.is_free(self.port)

    def _furnish(self) -> None:
        if self._prepared is None:
            raise InfrastructureError(
                f"server {self._record['id']} was closed", hint="choose a new one"
            )
        directories.make_home(self.home.parent, self.home.name)
        self._account.own(self.home)
        self.socket_dir.mkdir(mode=0o700)
        self._account.own(self.socket_dir)
        self._prepared.copy_to(self.data_dir, self._account)

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [
            str(self.bin_dir / "postgres"), "-D", str(self.data_dir),
            "-c", f"port={self.port}",
            "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={self._socket_setting()}",
        ]  # fmt: skip
        with (self.home / "log").open("ab") as log:
            # A session of its own: Ctrl-C at the terminal is for us, not for the server.
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                env=environment(self.home), start_new_session=True, **self._account.as_child(),
            )  # fmt: skip
        _children[child.pid] = child
        return child

    def _socket_setting(self) -> str:
        """The socket directory; none where its path is longer than a socket's may be."""
        return str(self.socket_dir) if len(str(self.socket_dir)) <= LONGEST_SOCKET_DIR else ""

    def _came_up(self, child: subprocess.Popen[bytes], deadline: _Deadline) -> bool:
        def settled() -> bool:
            return child.poll() is not None or self._is_ready()

        try:
            wait_until(settled, deadline.left, "postgres to start", pause=0.003)
        except TimeoutError:
            self.kill()
        if child.poll() is not None:
            _children.pop(child.pid, None)
            return False
        return True

    def _is_ready(self) -> bool:
        found = pidfile.read(self.data_dir)
        if found is None or found.status != "ready" or self.pid is None:
            return False
        return answers(self.dsn()) is not None

    def wait_ready(self, timeout: float = START_TIMEOUT) -> None:
        """Return when it answers a query over TCP."""
        what = f"server {self._record['id']} to answer"
        wait_for(self.dsn(), self._is_ready, timeout, what, pause=0.005)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop in order and wait until every process is gone; the data stay."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, _STOP_SIGNAL[mode])
        self._wait_gone(pid)

    def _wait_gone(self, postmaster: int | None, timeout: float = 60.0) -> None:
        """Wait for every process, and take the postmaster's exit status if it was our child."""
        wait_until(
            lambda: not process.of_server(self.data_dir),
            timeout,
            f"server {self._record['id']} to stop",
            pause=0.005,
        )
        child = _children.pop(postmaster or 0, None)
        if child is not None:
            child.wait(timeout)
        _collect()

    def kill(self) -> None:
        """SIGKILL the postmaster and every other process in the data directory."""
        found = pidfile.read(self.data_dir)
        postmaster = found.pid if found else None
        process.kill_all(self.data_dir, postmaster)
        self._wait_gone(postmaster)

    def restart(self) -> None:
        """Stop it if it runs, start it again on the same port."""
        if self.pid is not None:
            self.stop()
        self.start()

    def close(self) -> None:
        """SIGKILL it and remove data, socket, log, shared memory and record."""
        found = pidfile.read(self.data_dir)
        self.kill()
        if found is not None and found.shared_memory is not None:
            process.remove_shared_memory(found.shared_memory)
        shutil.rmtree(self.home, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty: a sibling has a server there
            self.home.parent.rmdir()
        registry.forget(self._record["id"])

    def dsn(self, dbname: str = "postgres") -> str:
        """A URL over TCP: what a client, pg_dump and a wire proxy can all use."""
        return url("127.0.0.1", self.port, USER, self._record["password"], dbname)

    def record(self) -> Record:
        """What `attach` needs."""
        return dict(self._record)


class _Deadline:
    """The time a start may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        return self.left <= 0


def _collect() -> None:
    """Take the exit status of postmasters that others killed; a zombie would be left behind."""
    for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
        del _children[pid]


@atexit.register
def _leave() -> None:
    """A server may outlive the process that started it, in its owner's name: no exit status will
    come, and Popen is not to warn of that.
    """
    for child in _children.values():
        child.returncode = child.poll() or 0


def new(
    installation: Installation, prepared: Prepared, who: Account, *,
    provider: str, why: str, passed_over: tuple[str, ...], profile: str, owner_pid: int | None,
) -> LocalServer:  # fmt: skip
    """A server that is recorded with a port of its own, but not started."""
    root, on_tmpfs = directories.data_root()
    identifier = registry.new_id()
    record: Record = {
        "id": identifier, "kind": "local", "provider": provider, "why": why,
        "passed_over": list(passed_over), "version": installation.version, "profile": profile,
        "owner": registry.owner(owner_pid), "on_tmpfs": on_tmpfs,
        "home": str(root.resolve() / identifier),
        "bin_dir": str(installation.bin_dir), "uid": who.uid, "gid": who.gid,
        "password": prepared.password,
    }  # fmt: skip
    return LocalServer(port.reserve(record), prepared)
