"""Connect to an address that was looked at: the name is resolved once, and TLS is told the name.

Every operation ends when the attempt does, whatever pace a receiver has.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from harness.webhook.address import AddressRefused, resolve

if TYPE_CHECKING:
    import httpcore


class AttemptDeadline:
    """Until when an attempt must be over: a timeout of each read is none of the whole."""

    def __init__(self) -> None:
        self._until = 0.0

    def start(self, seconds: float) -> None:
        """Begin an attempt of that length."""
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left; TimeoutError when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class GuardedBackend:
    """Connects to an address that may be sent to, which the name was resolved to just now.

    A network backend of httpcore, which is an extra: nothing here is derived from its classes.
    """

    def __init__(self, clock: AttemptDeadline, allow_loopback: bool, plain: bool) -> None:
        import httpcore

        self._clock = clock
        self._allow_loopback = allow_loopback
        self._no_tls = plain
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.NetworkStream:
        """A connection to the first of the host's addresses that takes one."""
        import httpcore

        left = self._clock.left
        addresses = resolve(host, port, left(), allow_loopback=self._allow_loopback)
        if self._no_tls and not all(address.is_loopback for address in addresses):
            raise AddressRefused(f"{host} is not loopback, and what is sent there is sent by https")
        failed: httpcore.ConnectError | None = None
        for address in addresses:
            try:
                stream = self._plain.connect_tcp(str(address), port, left())
                return cast("httpcore.NetworkStream", _TimedStream(stream, self._clock))
            except httpcore.ConnectError as error:
                failed = error
        raise failed or httpcore.ConnectError(f"{host} has no address")


class _TimedStream:
    """A stream whose every operation ends with the attempt."""

    def __init__(self, stream: httpcore.NetworkStream, clock: AttemptDeadline) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's signature
        """Some bytes of the answer."""
        return self._stream.read(max_bytes, self._clock.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - httpcore's signature
        """Send bytes."""
        self._stream.write(buffer, self._clock.left())

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.NetworkStream:
        """The same stream in TLS, with the certificate of the host that was named."""
        secured = self._stream.start_tls(ssl_context, server_hostname, self._clock.left())
        return cast("httpcore.NetworkStream", _TimedStream(secured, self._clock))

    def get_extra_info(self, info: str) -> Any:
        """What the stream knows of itself."""
        return self._stream.get_extra_info(info)
