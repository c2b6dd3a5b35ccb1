"""An invocation in a network of its own, in which our port is all that it can reach."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.subject.guard import launcher
from harness.subject.guard.once import run_once
from harness.subject.protocol import Invocation

EMPTIED: Final = ("/var/run/postgresql", "/run/postgresql")
PASSWORD_FILES: Final = (".pgpass", ".pg_service.conf")
LEADS_OUT: Final = re.compile(r"/\.s\.PGSQL\.\d+$|/(docker|podman|containerd)\.sock$")
"""Sockets of Postgres and its poolers, and of engines whose containers could be entered."""
_PYTHON: Final = (sys.executable, "-I", "-S", str(Path(launcher.__file__)))
_PREFIX: Final = "harness guard: "
_TRIAL: Final = """
import socket, sys
inside, outside = map(int, sys.argv[1:])
if socket.create_connection(("127.0.0.1", inside), 10).recv(1) != b"+":
    sys.exit("harness guard: what listens inside is not reached")
try:
    socket.create_connection(("127.0.0.1", outside), 10)
except OSError:
    sys.exit(0)
sys.exit("harness guard: what listens outside is reached")
"""


def walled_in(invocation: Invocation, port: int) -> Invocation:
    """The invocation that starts the same process where it reaches `port` on our loopback alone.

    It is the same port in there.
    """
    spec = {
        "upstream": ["127.0.0.1", port],
        "port": port,
        "empty": _existing(EMPTIED),
        "closed": _closed(),
    }
    return replace(invocation, argv=(*_PYTHON, json.dumps(spec), *invocation.argv))


@functools.cache
def unavailable() -> str:
    """Why there is no such wall here; empty when there is.

    It is tried, once a process, and not assumed: from behind the wall a process must reach what it
    is led to, and must not reach another port that listens outside.
    """
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has none"
    with (
        socket.create_server(("127.0.0.1", 0)) as wanted,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        ports = [each.getsockname()[1] for each in (wanted, other)]
        python = (sys.executable, "-I", "-S", "-c", _TRIAL, *map(str, ports))
        trial = walled_in(Invocation(python, dict(os.environ), limit=20), ports[0])
        wanted.settimeout(trial.limit)
        answering = threading.Thread(target=_answer, args=(wanted,), daemon=True)
        answering.start()
        ended = run_once(trial)
    if ended.status == 0:
        return ""
    return ended.reason.removeprefix(_PREFIX) or "a process cannot be started in them"


def _answer(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        client, _ = listener.accept()
        with client:
            client.sendall(b"+")


def _closed() -> list[str]:
    """Files that a command is not to find: passwords, and the sockets of servers, as of now."""
    try:
        table = Path("/proc/net/unix").read_text(errors="replace")
    except OSError:
        table = ""
    # the path is the eighth field, and may hold blanks
    paths = {line.split(maxsplit=7)[-1] for line in table.splitlines() if "/" in line}
    sockets = [path for path in sorted(paths) if LEADS_OUT.search(path)]
    home = Path.home()
    return _existing((*sockets, *(str(home / name) for name in PASSWORD_FILES)))


def _existing(paths: tuple[str, ...]) -> list[str]:
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110 - Path's may raise
