"""Send an endpoint what it is owed: in order per key, again after a failure, under the same id.

A webhook is posted first and written down then. Who is killed in between leaves it pending, and it
is posted again: at least once, and the receiver knows it by its id.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import psycopg

from harness.core.errors import InfrastructureError, Stopped
from harness.core.poll import wait_until
from harness.database import admin
from harness.webhook.endpoints import WebhookEndpoint
from harness.webhook.outbox import Connection
from harness.webhook.post import Posted
from harness.webhook.queue import DueDelivery, EndpointQueue, EndpointStanding

Mode = Literal["once", "until-empty", "on"]
State = Literal["sent", "pending", "disabled", "elsewhere", "absent"]
Stop = Callable[[], bool]

LONGEST_REST: Final = 300.0
"""A receiver that is away is asked again every five minutes, whatever its events wait for."""
PATIENCE: Final = 60.0
"""For how many seconds a server that is away is waited for."""
_IDLE: Final = 0.25
_JITTER: Final = 0.2
_ALL: Final = 2**63 - 1


class Delivers(Protocol):
    """What posts to an endpoint."""

    def post(self, id: str, body: bytes) -> Posted:  # noqa: A002 - the standard's word
        """Send a body under an id."""

    def close(self) -> None:
        """Hang up."""


@dataclass
class SendTally:
    """What became of an endpoint's events since the sender began."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    said: str = ""


@dataclass(frozen=True)
class EndpointReport:
    """How an endpoint stands in the end, and what was done for it."""

    name: str
    vocabulary: str
    state: State
    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    pending: int = 0
    said: str = ""


@dataclass(frozen=True)
class EndpointSender:
    """Sends to one endpoint what its queue holds."""

    dsn: str
    endpoint: WebhookEndpoint
    schedule: tuple[float, ...]
    poster: Delivers
    mode: Mode
    stop: Stop
    queue: Callable[[Connection, str], EndpointQueue] = EndpointQueue
    tally: SendTally = field(default_factory=SendTally)

    def run(self) -> EndpointReport:
        """Send until the mode's end or a stop; a server that was lost is waited for.

        Raises Stopped when it does not come back, InfrastructureError for what it refuses.
        """
        lost, delivered = 0, 0
        while True:
            with contextlib.closing(self._connected()) as conn:
                try:
                    return self._serve(self.queue(conn, self.endpoint.name))
                except psycopg.Error as error:
                    if not conn.closed:  # it would refuse the next attempt too, posted or not
                        raise _refused(error) from error
            # a server that falls at each record must not make us post without a pause
            lost = 0 if self.tally.delivered > delivered else lost + 1
            delivered = self.tally.delivered
            self._wait(min(30.0, 0.1 * 2.0**lost))

    def _connected(self) -> Connection:
        failed: list[InfrastructureError] = []

        def attempt() -> Any:
            try:
                conn = admin.connect(self.dsn, restarted=True)
            except InfrastructureError as error:
                failed.append(error)
                if self.stop():
                    raise TimeoutError from error
                return None
            admin.writable(conn)
            return conn

        try:
            found: Connection = wait_until(attempt, PATIENCE, "the server", pause=0.2)
            return found
        except TimeoutError:
            hint = "what is pending stays so; run the same again"
            raise Stopped(f"there is no server: {failed[-1].message}", hint=hint) from None

    def _serve(self, queue: EndpointQueue) -> EndpointReport:
        if not self._claim(queue):
            return self._report("elsewhere", queue.standing())
        last = queue.last() if self.mode == "once" else _ALL
        held: set[str] = set()
        while not self.stop():
            standing = queue.standing()
            if self.mode != "on" and (standing.disabled or not standing.pending):
                break
            quiet = standing.disabled or standing.rests > 0
            if not quiet and self._send_due(queue, standing.failures, last, held):
                continue
            if self.mode == "once":
                break
            held.clear()
            self._wait(_pause(standing))
        standing = queue.standing()
        left: State = "pending" if standing.pending else "sent"
        return self._report("disabled" if standing.disabled else left, standing)

    def _claim(self, queue: EndpointQueue) -> bool:
        """Take the endpoint; a sender that goes on waits until the other one ends."""

        def settled() -> Literal["ours", "over"] | None:
            if queue.claim():
                return "ours"
            done = self.mode == "until-empty" and not queue.standing().pending
            return "over" if self.mode == "once" or done or self.stop() else None

        return wait_until(settled, math.inf, "the other sender", pause=_IDLE) == "ours"

    def _send_due(self, queue: EndpointQueue, failures: int, last: int, held: set[str]) -> int:
        """Attempt what is due, and give how much that was; behind a failure its key waits."""
        attempted = 0
        for one in queue.due(last, held):
            if self.stop():
                break
            if one.key in held:
                continue
            attempted += 1
            posted = self.poster.post(one.id, one.body.encode())
            if posted.answer == "delivered":
                queue.delivered(one, posted.said)
                self.tally.delivered += 1
                if failures:
                    queue.recovered()
                    failures = 0
                continue
            held.add(one.key)
            self._failed(queue, one, posted, failures)
            if posted.answer != "refused":
                break
        return attempted

    def _failed(
        self, queue: EndpointQueue, one: DueDelivery, posted: Posted, failures: int
    ) -> None:
        self.tally.failed += 1
        self.tally.said = posted.said
        if posted.answer == "gone":
            queue.disable(posted.said)
            return
        wait = None
        if one.attempts < len(self.schedule):
            wait = max(_jittered(self.schedule[one.attempts]), posted.rest or 0.0)
        else:
            self.tally.given_up += 1
        queue.failed(one, posted.said, wait)
        if posted.answer == "busy":
            step = self.schedule[min(failures, len(self.schedule) - 1)]
            queue.rest(posted.rest or min(LONGEST_REST, _jittered(step)))

    def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            wait_until(self.stop, seconds, "a stop", pause=min(0.05, seconds))

    def _report(self, state: State, standing: EndpointStanding) -> EndpointReport:
        tally = self.tally
        return EndpointReport(
            self.endpoint.name, self.endpoint.vocabulary, state, tally.delivered, tally.failed,
            tally.given_up, standing.pending, standing.disabled_for or tally.said,
        )  # fmt: skip


def _pause(standing: EndpointStanding) -> float:
    """How long nothing can be due; new events are looked for meanwhile."""
    waits = [standing.rests, standing.next_in if standing.next_in is not None else _IDLE]
    return max(0.005, min(_IDLE, max(waits)))


def _jittered(seconds: float) -> float:
    return seconds * (1.0 + random.uniform(0.0, _JITTER))  # noqa: S311 - jitter, not a secret


def _refused(error: psycopg.Error) -> InfrastructureError:
    hint = "mend that, and run the same again: what is pending stays so"
    return InfrastructureError(f"the outbox: {' '.join(str(error).split())}", hint=hint)
