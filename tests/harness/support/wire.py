"""A forwarder between a client and the server that can fall silent, as a dead line does."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

from psycopg.conninfo import conninfo_to_dict, make_conninfo

READY = tuple(b"Z\x00\x00\x00\x05" + state for state in (b"I", b"T", b"E"))


class Forwarder:
    """Forwards every connection until `silence`; those made later are forwarded again."""

    def __init__(self, dsn: str) -> None:
        fields = conninfo_to_dict(dsn)
        self._host = str(fields.get("host") or "127.0.0.1")
        self._port = int(fields.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._silent: set[int] = set()
        self._fatal: tuple[bytes, int] | None = None
        self._until: bytes | None = None
        self._held: tuple[bytes, socket.socket] | None = None
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

    def cut_late(self, message: bytes, count: int, until: bytes) -> None:
        """Hang up at that message, and pass it on when one that holds `until` comes behind it."""
        self._fatal, self._until = (message, count), until

    @property
    def fired(self) -> bool:
        """Whether `cut_unheard` has happened."""
        return self._fatal is not None and self._fatal[1] <= 0

    @property
    def passed_late(self) -> bool:
        """Whether what `cut_late` held back was passed on."""
        return self.fired and self._until is not None and self._held is None

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
                    if sock is client and self._is_fatal(data):
                        self._pass_fatal(data, server)
                        client.close()
                        return
                    if sock is client:
                        self._pass_held(data)
                    other[sock].sendall(data)

    def _pass_fatal(self, data: bytes, server: socket.socket) -> None:
        if self._until is None:
            server.sendall(data)
        else:
            self._held = data, server

    def _pass_held(self, data: bytes) -> None:
        """Let what was held arrive, and be answered or not heard any more, before `data`."""
        if self._held is None or self._until is None or self._until not in data:
            return
        (held, server), self._held = self._held, None
        with contextlib.suppress(OSError):  # its session may have been ended
            server.sendall(held)
            answer = b""
            while not answer.endswith(READY) and (more := server.recv(65536)):
                answer += more

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
