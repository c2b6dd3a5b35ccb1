"""Deliver to every endpoint of a file, each in a thread of its own: a slow one holds nobody up."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from harness.webhook import outbox
from harness.webhook.endpoints import EndpointsFile, WebhookEndpoint
from harness.webhook.outbox import Connection
from harness.webhook.post import Poster
from harness.webhook.queue import EndpointQueue
from harness.webhook.sender import Delivers, EndpointReport, EndpointSender, Mode, Stop

_ABSENT: Final = """
SELECT e.name, e.vocabulary, e.disabled_at IS NOT NULL,
  (SELECT pg_catalog.count(*) FROM migration_outbox.delivery AS d
    WHERE d.endpoint = e.name AND d.state = 'pending')
FROM migration_outbox.endpoint AS e WHERE e.name <> ALL (%s) ORDER BY e.name
"""
MakePoster = Callable[[WebhookEndpoint], Delivers]


@dataclass(frozen=True)
class Means:
    """By what events are sent and written down."""

    poster: MakePoster
    queue: Callable[[Connection, str], EndpointQueue] = EndpointQueue

    @classmethod
    def of_http(cls, *, allow_loopback: bool = False) -> Means:
        """HTTP to public addresses; to this machine where it is allowed."""
        return cls(lambda endpoint: Poster(endpoint, allow_loopback=allow_loopback))


def deliver_all(
    dsn: str, file: EndpointsFile, mode: Mode, stop: Stop, means: Means
) -> list[EndpointReport]:
    """Register the file's endpoints, and send each what it is owed; how each stands in the end.

    Endpoints that events are queued for and that are not in the file are reported as absent.
    Raises what the first sender that ends so raises, once the others have stopped.
    """
    with outbox.opened(dsn) as conn:
        outbox.require_own(conn)
        outbox.register(conn, [one.subscription for one in file.endpoints])
    broken = threading.Event()

    def run(endpoint: WebhookEndpoint) -> EndpointReport:
        def stopped() -> bool:
            return stop() or broken.is_set()

        try:
            with contextlib.closing(means.poster(endpoint)) as poster:
                return EndpointSender(
                    dsn, endpoint, file.schedule, poster, mode, stopped, means.queue
                ).run()
        except BaseException:
            broken.set()
            raise

    with ThreadPoolExecutor(len(file.endpoints)) as pool:
        running: Mapping[str, Future[EndpointReport]] = {
            one.name: pool.submit(run, one) for one in file.endpoints
        }
    reports = [future.result() for future in running.values()]
    return reports + _absent(dsn, list(running))


def _absent(dsn: str, names: list[str]) -> list[EndpointReport]:
    with outbox.opened(dsn) as conn:
        rows: Any = conn.execute(_ABSENT, [names]).fetchall()
    said = "it is not in the file"
    return [
        EndpointReport(
            name, vocabulary, "disabled" if disabled else "absent", pending=pending, said=said
        )
        for name, vocabulary, disabled, pending in rows
    ]
