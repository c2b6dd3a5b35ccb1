"""Post one webhook and say what the receiver made of it, in bounded time.

httpcore is the part of httpx that connects: it follows no redirect and asks no proxy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast
from urllib.parse import urlsplit

from harness.webhook.address import AddressRefused
from harness.webhook.connect import AttemptDeadline, GuardedBackend
from harness.webhook.endpoints import WebhookEndpoint
from harness.webhook.sign import headers

if TYPE_CHECKING:
    import httpcore

Answer = Literal["delivered", "refused", "busy", "gone"]
BUSY: Final = frozenset((429, 502, 503, 504))
GONE: Final = 410
LONGEST_REST: Final = 86_400.0
_SENT: Final = (("Content-Type", "application/json"), ("User-Agent", "migration-harness"))
_READ: Final = 65_536  # more of an answer is not read: nothing is in it for us


@dataclass(frozen=True)
class Posted:
    """What came of an attempt. `busy`: the endpoint as a whole; it is left alone for a while."""

    answer: Answer
    said: str
    rest: float | None = None


class Poster:
    """Sends to one endpoint, over a connection that is kept."""

    # One client to an endpoint: a kept connection of another name at the same address would
    # be one to the wrong certificate.

    def __init__(self, endpoint: WebhookEndpoint, *, allow_loopback: bool = False) -> None:
        import httpcore

        self._endpoint = endpoint
        self._clock = AttemptDeadline()
        plain = urlsplit(endpoint.url).scheme == "http"
        backend = GuardedBackend(self._clock, allow_loopback, plain)
        self._pool = httpcore.ConnectionPool(
            max_connections=1,
            keepalive_expiry=15.0,
            network_backend=cast("httpcore.NetworkBackend", backend),
        )

    def post(self, id: str, body: bytes) -> Posted:  # noqa: A002 - the standard's word
        """Send a body, signed now; the id is the same however often it is sent."""
        import httpcore

        signed = headers(self._endpoint.keys, id, body, int(time.time()))
        sent: list[tuple[bytes | str, bytes | str]] = [*_SENT, *signed.items()]
        self._clock.start(self._endpoint.timeout)
        try:
            with self._pool.stream(
                "POST", self._endpoint.url, headers=sent, content=body
            ) as response:
                _read_some(response)
                return _judge(response)
        except AddressRefused as refused:
            return Posted("busy", str(refused))
        except (httpcore.TimeoutException, TimeoutError):
            return Posted("busy", f"no answer within {self._endpoint.timeout:g} s")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return Posted("busy", f"no answer: {_words(error)}")

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


def _read_some(response: httpcore.Response) -> None:
    """Read an answer to its end, so that the connection is kept; not one that is too long."""
    size = 0
    for part in response.iter_stream():
        size += len(part)
        if size > _READ:
            return


def _judge(response: httpcore.Response) -> Posted:
    status = response.status
    said = f"status {status}"
    if 200 <= status < 300:
        return Posted("delivered", said)
    if status == GONE:
        return Posted("gone", said)
    if 300 <= status < 400:
        return Posted("refused", f"{said}, a redirect: these are not followed")
    return Posted("busy" if status in BUSY else "refused", said, _retry_after(response))


def _retry_after(response: httpcore.Response) -> float | None:
    """The seconds for which it asks to be left alone; a date is not one of those."""
    for name, value in response.headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            return min(float(value), LONGEST_REST)
    return None


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def shown_url(url: str) -> str:
    """Scheme and host: a path may be as secret as a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/***"
