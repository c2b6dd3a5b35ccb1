"""A forwarder between a client and the server that can fall silent, as a dead line does."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Forwarder:
    """Forwards every connection until `silence`; those made later are forwarded again."""

    def __init__(self, dsn: str) -> None:
        fields = conninfo_to_dict(dsn)
        self._host = str(fields.get("host") or "127.0.0.1")
        self._port = int(fields.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._silent: set[int] = set()
        self._fatal: tuple[bytes, int] | None = None
        self._made = 0
        self._sockets: list[socket.socket] = [self._listener]
        port = str(self._listener.getsockname()[1])
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=port)
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """From now on nothing passes on the connections that are open; both ends keep them."""
        self._silent = set(range(self._made))

    def cut_unheard(self, message: bytes, count: int) -> None:
        """Pass the `count`-th message that holds this on, and hang up before it is answered."""
        self._fatal = message, count

    @property
    def fired(self) -> bool:
        """Whether `cut_unheard` has happened."""
        return self._fatal is not None and self._fatal[1] <= 0

    def close(self) -> None:
        """Close everything."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._connect()
            self._sockets += [client, server]
            arguments = (self._made, client, server)
            self._made += 1
            threading.Thread(target=self._forward, args=arguments, daemon=True).start()

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return sock

    def _forward(self, number: int, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with selectors.DefaultSelector() as waiting, contextlib.suppress(OSError, ValueError):
            for sock in other:
                waiting.register(sock, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)
                    data = sock.recv(65536)
                    if number in self._silent:
                        continue
                    if not data:
                        client.close()
                        server.close()
                        return
                    other[sock].sendall(data)
                    if sock is client and self._is_fatal(data):
                        client.close()
                        return

    def _is_fatal(self, data: bytes) -> bool:
        if self._fatal is None or self._fatal[0] not in data or self.fired:
            return False
        self._fatal = self._fatal[0], self._fatal[1] - 1
        return self.fired


@contextlib.contextmanager
def forwarded(dsn: str) -> Iterator[Forwarder]:
    """A forwarder in front of the server of `dsn`, closed at the end."""
    forwarder = Forwarder(dsn)
    try:
        yield forwarder
    finally:
        forwarder.close()
