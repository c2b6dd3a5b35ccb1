"""A new session in the place of one that a script has used: nothing of it is left to the next.

DISCARD ALL would leave behind what a session cannot forget: the names of settings of one's own, the
seed of random(), loaded libraries, what procedural languages and dblink keep.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time

from psycopg.conninfo import make_conninfo

from harness.runner.connection import Connection

ENDED_WITHIN = 5.0


def address(dsn: str, conn: Connection) -> str:
    """The DSN of the very server that a connection has reached, whichever of several it was."""
    info = conn.info
    return make_conninfo(dsn, host=info.host, hostaddr=info.hostaddr or None, port=str(info.port))


def has_ended(conn: Connection) -> bool:
    """Whether the server has closed the line of a connection on which nobody has heard of it."""
    line = select.poll()
    line.register(conn.pgconn.socket, getattr(select, "POLLRDHUP", 0))  # Linux says so by this
    return any(event for _, event in line.poll(0))


def hang_up(conn: Connection) -> None:
    """Close a connection, and wait until the server has ended its session.

    Before that its locks are held and its temporary tables are there. The server closes the line
    last of all, so its end is what is waited for. One that is lost is only closed.
    """
    if conn.closed:
        return conn.close()
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(conn.pgconn.socket)) as line:
        conn.close()
        deadline = time.monotonic() + ENDED_WITHIN
        while (left := deadline - time.monotonic()) > 0:
            line.settimeout(left)
            if not line.recv(4096):
                return None
    return conn.close()
