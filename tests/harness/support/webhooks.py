"""Endpoints of a receiver on this machine, and senders with a planted defect."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.webhook import outbox
from harness.webhook.deliver import Means
from harness.webhook.endpoints import EndpointsFile, WebhookEndpoint
from harness.webhook.outbox import Connection
from harness.webhook.post import Posted, Poster
from harness.webhook.queue import DueDelivery, EndpointQueue
from harness.webhook.receiver import LocalReceiver

KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
FAST = (0.01, 0.02, 0.02, 0.05)


def endpoint_of(receiver: LocalReceiver, name: str = "old", **more: Any) -> WebhookEndpoint:
    made = WebhookEndpoint(name, name, receiver.url(name), (KEY,), timeout=10.0)
    return replace(made, **more)


def file_of(*endpoints: WebhookEndpoint, schedule: tuple[float, ...] = FAST) -> EndpointsFile:
    return EndpointsFile(endpoints, schedule)


def write_file(path: Path, *endpoints: WebhookEndpoint, schedule: Sequence[str] = ()) -> Path:
    """The same as a file, whose secrets are in the variable WEBHOOK_SECRET."""
    tables = [
        f'[[endpoint]]\nname = "{one.name}"\nurl = "{one.url}"\n'
        f'vocabulary = "{one.vocabulary}"\nsecret_env = "WEBHOOK_SECRET"\n'
        for one in endpoints
    ]
    retry = f"[retry]\nschedule = {list(schedule)}\n" if schedule else ""
    path.write_text("\n".join([retry, *tables]))
    return path


def queue_events(conn: Connection, count: int, rows: int = 3, vocabulary: str = "old") -> None:
    """Events of some rows in turn."""
    with closing(conn.cursor()) as cursor:
        cursor.executemany(
            "SELECT migration_outbox.enqueue(%s, 'orders.UPDATE', %s, %s::jsonb)",
            [(vocabulary, f"orders/{n % rows}", f'{{"n": {n}}}') for n in range(count)],
        )


class NewIdEachTry(Poster):
    """A defect: the id is made when it is sent."""

    def post(self, id: str, body: bytes) -> Posted:  # noqa: A002 - as its base has it
        return super().post(f"{id}_{next(_NUMBERS)}", body)


_NUMBERS = itertools.count()


class MarksFirst(EndpointQueue):
    """A defect: what is about to be sent is written down as delivered."""

    def due(self, last: int, held: Any) -> list[DueDelivery]:
        found = super().due(last, held)
        for one in found:
            self.delivered(one, "soon")
        return found


class PassesBy(EndpointQueue):
    """A defect: what is behind a failure is sent at once."""

    def due(self, last: int, held: Any) -> list[DueDelivery]:  # noqa: ARG002 - its defect
        rows = self._conn.execute(
            "SELECT d.seq, d.seq::text, e.id, e.body, d.attempts"
            " FROM migration_outbox.delivery AS d JOIN migration_outbox.event AS e USING (seq)"
            " WHERE d.endpoint = %s AND d.state = 'pending' AND d.next_at <= clock_timestamp()"
            " ORDER BY d.seq",
            [self._endpoint],
        ).fetchall()
        return [DueDelivery(*row) for row in rows]


class ReadsAgain(EndpointQueue):
    """A defect: the body is made when it is sent, from the row as it is by then."""

    def due(self, last: int, held: Any) -> list[DueDelivery]:
        newest = "SELECT body FROM migration_outbox.event WHERE key = %s ORDER BY seq DESC LIMIT 1"
        made = []
        for one in super().due(last, held):
            row: Any = self._conn.execute(newest, [one.key]).fetchone()
            made.append(replace(one, body=row[0]))
        return made


DEFECTS = {
    "forged": Means(lambda one: NewIdEachTry(one, allow_loopback=True)),
    "lost": replace(Means.of_http(allow_loopback=True), queue=MarksFirst),
    "reordered": replace(Means.of_http(allow_loopback=True), queue=PassesBy),
    "altered": replace(Means.of_http(allow_loopback=True), queue=ReadsAgain),
}
"""What each is found as, and the sender that has it."""
LOCAL = Means.of_http(allow_loopback=True)


def prepared(dsn: str, *endpoints: WebhookEndpoint) -> None:
    """An outbox with these endpoints."""
    with outbox.opened(dsn) as conn:
        outbox.install(conn)
        outbox.register(conn, [one.subscription for one in endpoints])
