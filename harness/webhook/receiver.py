"""A receiver on this machine that writes down what it was sent, for proofs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class ReceivedWebhook:
    """One request: to which endpoint, its signed headers, its body, and how it was answered."""

    endpoint: str
    id: str
    timestamp: str
    signature: str
    body: bytes
    status: int


Answering = Callable[[str, str, bytes], int]
"""Gives the status for an endpoint, an id and a body."""


@dataclass
class LocalReceiver:
    """Takes POST /NAME as a webhook of endpoint NAME. `seen` is in order of arrival."""

    port: int
    seen: list[ReceivedWebhook] = field(default_factory=list)

    def url(self, endpoint: str) -> str:
        """Where an endpoint of that name is."""
        return f"http://127.0.0.1:{self.port}/{endpoint}"


def accept_all(_endpoint: str, _id: str, _body: bytes) -> int:
    """Answers with 204, whatever comes."""
    return 204


@contextmanager
def receiving(
    answering: Answering = accept_all, headers: tuple[tuple[str, str], ...] = ()
) -> Iterator[LocalReceiver]:
    """A receiver for the length of the block. `headers` are added to each answer."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        """Answers one request after another of a connection."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 30.0

        def do_POST(self) -> None:
            """Take a webhook in."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            endpoint, given = self.path.strip("/"), self.headers.get("webhook-id", "")
            with lock:  # the order in which they are seen is the order in which they are answered
                status = answering(endpoint, given, body)
                found.seen.append(
                    ReceivedWebhook(
                        endpoint, given, self.headers.get("webhook-timestamp", ""),
                        self.headers.get("webhook-signature", ""), body, status,
                    )
                )  # fmt: skip
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
            """A request is no news."""

        def handle_one_request(self) -> None:
            """Answer; a sender that was killed is no error of ours."""
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    found = LocalReceiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
