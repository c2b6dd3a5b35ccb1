"""Forget keys of a Redis by pattern: SCAN to its end and UNLINK, never KEYS, in bounded time.

The four commands that are needed are spoken here: a client library would be one more to install.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

ADDRESS: Final = "HARNESS_REDIS"
"""The variable with the URL of the Redis: a password does not stand in a plan."""
PAGE: Final = 500
"""How many keys Redis looks at in a SCAN: it serves others between two of them."""


class RedisFailed(Exception):  # noqa: N818 - reads as what happened
    """What Redis said, or that it said nothing; the password is not in it."""


def forget_keys(patterns: Sequence[str], timeout: float) -> int:
    """Remove every key that matches one of the patterns; how many there were.

    Raises RedisFailed when it is away, silent, or refuses; what was removed by then stays so.
    """
    count = 0
    with _opened(os.environ.get(ADDRESS, ""), time.monotonic() + timeout) as line:
        for pattern in patterns:
            for keys in _scanned(line, pattern):
                count += int(line.ask(b"UNLINK", *keys))
    return count


def _scanned(line: RedisLine, pattern: str) -> Iterator[list[bytes]]:
    """The keys of a pattern, page by page; an empty page is not the end, cursor 0 is."""
    cursor = b"0"
    while True:
        cursor, keys = line.ask(
            b"SCAN", cursor, b"MATCH", pattern.encode(), b"COUNT", str(PAGE).encode()
        )
        if keys:
            yield keys
        if cursor == b"0":
            return


@dataclass
class RedisLine:
    """A connection that speaks RESP2. Nothing is waited for beyond `deadline`."""

    socket: socket.socket
    deadline: float
    _unread: bytearray = field(default_factory=bytearray)

    def ask(self, *words: bytes) -> Any:
        """Send a command and read its answer; RedisFailed for an error."""
        parts = [b"*%d\r\n" % len(words)]
        parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        self._bound()
        self.socket.sendall(b"".join(parts))
        return self._answer()

    def _answer(self) -> Any:
        head = self._line()
        kind, rest = head[:1], head[1:]
        if kind == b"-":
            raise RedisFailed(rest.decode(errors="replace"))
        if kind == b"$":
            return None if rest == b"-1" else self._exactly(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        if kind in (b"+", b":"):
            return rest
        raise RedisFailed("it does not speak as a Redis does")

    def _line(self) -> bytes:
        while (end := self._unread.find(b"\r\n")) < 0:
            self._read()
        return self._take(end + 2)[:-2]

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._read()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def _read(self) -> None:
        self._bound()
        found = self.socket.recv(65536)
        if not found:
            raise RedisFailed("it hung up")
        self._unread += found

    def _bound(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)


@contextlib.contextmanager
def _opened(given: str, deadline: float) -> Iterator[RedisLine]:
    """A connection that is logged in, to the database that the URL names."""
    given = given.strip()
    if not given:
        raise RedisFailed(f"{ADDRESS} does not say where Redis is: redis://[user:password@]host")
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port or 6379
        database = int(parts.path.strip("/") or 0)
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("redis", "rediss"):
        raise RedisFailed(f"{ADDRESS} is not a URL such as redis://[user:password@]host:6379/0")
    try:
        plain = socket.create_connection((host, port), max(0.001, deadline - time.monotonic()))
        with _secured(plain, host, parts.scheme == "rediss") as opened:
            line = RedisLine(opened, deadline)
            if parts.password is not None:
                user = [unquote(parts.username).encode()] if parts.username else []
                line.ask(b"AUTH", *user, unquote(parts.password).encode())
            if database:
                line.ask(b"SELECT", str(database).encode())
            yield line
    except TimeoutError:
        raise RedisFailed(f"{host}:{port} did not answer in time") from None
    except (OSError, ValueError, TypeError) as error:  # the latter: an answer of another shape
        raise RedisFailed(f"{host}:{port}: {error}") from None


def _secured(plain: socket.socket, host: str, wanted: bool) -> socket.socket:
    return (
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) if wanted else plain
    )
