"""Serve applications on ports of this machine until it is asked to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from harness.core.errors import InfrastructureError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

BACKLOG: Final = 512
CONNECTIONS: Final = 500
GRACE: Final = 3
"""Seconds that an answer under way may take when the server is asked to stop."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; InfrastructureError where the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise InfrastructureError(
            f"port {port} of {host} cannot be listened to: {error.strerror or error}",
            hint="name another, or 0 for any",
        ) from error
    return made


def address_of(listening: socket.socket) -> str:
    """The address that a browser is given."""
    host, port, *_ = listening.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


@contextmanager
def served(apps: Sequence[tuple[ASGIApp, socket.socket]]) -> Iterator[Callable[[], bool]]:
    """Serve each application on its socket for the block; yields whether all are still served."""
    import uvicorn

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would quote requests
    servers, threads = [], []
    for app, listening in apps:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http="h11",
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=GRACE,
        )
        server = uvicorn.Server(config)
        servers.append(server)
        threads.append(
            threading.Thread(
                target=lambda server=server, listening=listening: asyncio.run(
                    server.serve(sockets=[listening])
                ),
                name="page server",
                daemon=True,
            )
        )
    for thread in threads:
        thread.start()
    try:
        yield lambda: all(thread.is_alive() for thread in threads)
    finally:
        for server in servers:
            server.should_exit = True
        for thread in threads:
            thread.join()
        for _, listening in apps:
            listening.close()
