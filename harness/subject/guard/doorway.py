"""A door to a server's port that writes down who comes in: how an arrival is proved."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from harness.server.dsn import Dsn, fields, replaced

_TLS, _GSS, _CANCEL = 80877103, 80877104, 80877102
_LONGEST: Final = 10_000  # bytes of a startup packet; the server's own limit


class Doorway:
    """Listens on loopback for the server of a DSN, and hears the names of databases asked for.

    `dsn` leads through it. `databases` has one name for each session that was begun, `refused` is
    the number of times that somebody asked for TLS and went away at our no.
    """

    def __init__(self, dsn: str) -> None:
        found = fields(dsn)
        self._upstream = found.get("host", "127.0.0.1"), int(found.get("port", "5432"))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.dsn: Dsn = replaced(dsn, host="127.0.0.1", port=str(self.port))
        self.databases: list[str] = []
        self.refused = 0
        self._sockets: list[socket.socket] = []
        self._guests: list[threading.Thread] = []

    def serve(self) -> None:
        """Let everybody in until it is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._guests.append(threading.Thread(target=self._let_in, args=(client,), daemon=True))
            self._guests[-1].start()

    def _let_in(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            packet = self._startup(client)
            server = self._connect()
            self._sockets.append(server)
            server.sendall(packet)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()
        client.close()

    def _startup(self, client: socket.socket) -> bytes:
        """The packet that begins a session, or that cancels another's statement."""
        while True:
            head = _exactly(client, 8)
            length, code = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
            if code not in (_TLS, _GSS):
                break
            client.sendall(b"N")
            if not client.recv(1, socket.MSG_PEEK):
                self.refused += 1
                raise EOFError
        packet = head + _exactly(client, min(length, _LONGEST) - 8)
        if code != _CANCEL:
            self.databases.append(asked_for(packet))
        return packet

    def _connect(self) -> socket.socket:
        host, port = self._upstream
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"{host}/.s.PGSQL.{port}")
        return made

    def close(self) -> None:
        """Let nobody in any more, and show everybody out."""
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):  # it wakes who waits there; closing would not
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for guest in self._guests:
            guest.join()


@contextmanager
def doorway(dsn: str) -> Iterator[Doorway]:
    """A doorway that is open as long as the context lasts; no thread of it is left then."""
    made = Doorway(dsn)
    serving = threading.Thread(target=made.serve, daemon=True)
    serving.start()
    try:
        yield made
    finally:
        made.close()
        serving.join()


def asked_for(packet: bytes) -> str:
    """The database that a startup packet asks for: the user's name where it names none."""
    words = packet[8:].split(b"\0")
    told = dict(zip(words[::2], words[1::2], strict=False))
    return told.get(b"database", told.get(b"user", b"")).decode("utf-8", "replace")


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        data = source.recv(size - len(found))
        if not data:
            raise EOFError
        found += data
    return found


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
