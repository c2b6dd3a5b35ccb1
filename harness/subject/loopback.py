"""The open enclosure: processes that run as they are, and reach what listens on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from harness.subject.protocol import Invocation

BACKLOG = 64


class Loopback:
    """No wall at all: for what we trust to connect where it is told to."""

    def listener(self) -> socket.socket:
        """A new socket that listens on 127.0.0.1, at a port that was free."""
        return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)

    def enclosed(self, invocation: Invocation) -> Invocation:
        """The same."""
        return invocation


@contextmanager
def loopback() -> Iterator[Loopback]:
    """An open enclosure."""
    yield Loopback()
