"""What is queued arrives at least once, in order, the same under the same id, or is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from standardwebhooks import Webhook

from harness.webhook import outbox
from harness.webhook.deliver import Means, deliver_all
from harness.webhook.proof import judge_deliveries, read_queued
from harness.webhook.receiver import LocalReceiver, accept_all, receiving
from harness.webhook.sender import EndpointReport, Mode
from tests.harness.support.webhooks import (
    DEFECTS,
    KEY,
    LOCAL,
    SECRET,
    endpoint_of,
    file_of,
    prepared,
    queue_events,
)

LONG = (600.0,)


def never() -> bool:
    return False


def first_try_fails(status: int = 500) -> Callable[[str, str, bytes], int]:
    met: set[str] = set()

    def answer(_endpoint: str, given: str, _body: bytes) -> int:
        first = given not in met
        met.add(given)
        return status if first else 204

    return answer


def send(
    dsn: str,
    receiver: LocalReceiver,
    mode: Mode = "until-empty",
    means: Means = LOCAL,
    **more: object,
) -> EndpointReport:
    file = file_of(endpoint_of(receiver), **more)  # type: ignore[arg-type]
    return deliver_all(dsn, file, mode, never, means)[0]


def found_wrong(dsn: str, receiver: LocalReceiver) -> set[str]:
    with outbox.opened(dsn) as conn:
        queued = read_queued(conn)
    assert queued
    return {one.id for one in judge_deliveries(queued, receiver.seen, {"old": (KEY,)})}


def ready(dsn: str, receiver: LocalReceiver, count: int = 6) -> None:
    prepared(dsn, endpoint_of(receiver))
    with outbox.opened(dsn) as conn:
        queue_events(conn, count)


@pytest.mark.parametrize("status", [302, 503])
def test_what_fails_is_sent_again_the_same(harness_empty_database: str, status: int) -> None:
    with receiving(first_try_fails(status)) as receiver:
        ready(harness_empty_database, receiver)
        report = send(harness_empty_database, receiver)
        assert (report.state, report.delivered, report.failed) == ("sent", 6, 6)
        assert len(receiver.seen) == 12
        assert found_wrong(harness_empty_database, receiver) == set()


def test_a_foreign_library_verifies_what_was_signed(harness_empty_database: str) -> None:
    other = bytes(reversed(KEY))
    with receiving() as receiver:
        ready(harness_empty_database, receiver, 1)
        file = file_of(endpoint_of(receiver, keys=(other, KEY)))  # the key is being changed
        deliver_all(harness_empty_database, file, "once", never, LOCAL)
        (one,) = receiver.seen
    signed = {
        "webhook-id": one.id, "webhook-timestamp": one.timestamp, "webhook-signature": one.signature
    }  # fmt: skip
    assert Webhook(SECRET).verify(one.body, signed) == {"n": 0}
    assert Webhook(other).verify(one.body, signed) == {"n": 0}
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(one.body + b" ", signed)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_sender_with_a_defect_is_found(harness_empty_database: str, defect: str) -> None:
    with receiving(first_try_fails()) as receiver:
        ready(harness_empty_database, receiver)
        stop_at = 200  # a sender that never ends with its work
        stop = lambda: len(receiver.seen) > stop_at  # noqa: E731 - it is one line
        file = file_of(endpoint_of(receiver))
        deliver_all(harness_empty_database, file, "until-empty", stop, DEFECTS[defect])
        assert f"webhook.{defect}" in found_wrong(harness_empty_database, receiver)


def test_a_planted_signature_is_found(harness_empty_database: str) -> None:
    with receiving() as receiver:
        ready(harness_empty_database, receiver, 1)
        send(harness_empty_database, receiver)
        receiver.seen[:] = [replace(receiver.seen[0], signature="v1,AAAA")]
        assert found_wrong(harness_empty_database, receiver) == {"webhook.unsigned"}


def test_behind_a_failure_waits_its_own_row_alone(harness_empty_database: str) -> None:
    def answer(_endpoint: str, _id: str, body: bytes) -> int:
        return 500 if body == b'{"n": 0}' else 204

    with receiving(answer) as receiver:
        ready(harness_empty_database, receiver)
        report = send(harness_empty_database, receiver, "once", schedule=LONG)
        assert (report.state, report.delivered, report.pending) == ("pending", 4, 2)
        bodies = [one.body for one in receiver.seen]
    assert bodies == [b'{"n": %d}' % n for n in (0, 1, 2, 4, 5)]  # 3 is of the row of 0


def test_a_receiver_that_is_gone_is_told_nothing_more(harness_empty_database: str) -> None:
    with receiving(lambda *_: 410) as receiver:
        ready(harness_empty_database, receiver)
        report = send(harness_empty_database, receiver)
        assert (report.state, report.said, report.pending) == ("disabled", "status 410", 6)
        with outbox.opened(harness_empty_database) as conn:
            queue_events(conn, 1)
            assert len(read_queued(conn)) == 6
        assert send(harness_empty_database, receiver).failed == 0
        assert len(receiver.seen) == 1


def test_an_event_is_given_up_after_its_last_attempt(harness_empty_database: str) -> None:
    with receiving(lambda *_: 400) as receiver:
        ready(harness_empty_database, receiver, 1)
        report = send(harness_empty_database, receiver, schedule=(0.01, 0.01))
        assert (report.given_up, report.pending, report.said) == (1, 0, "status 400")
        assert len({(one.id, one.body) for one in receiver.seen}) == 1
        assert len(receiver.seen) == 3


def test_a_busy_receiver_is_left_alone_for_as_long_as_it_asks(harness_empty_database: str) -> None:
    with receiving(lambda *_: 429, headers=(("Retry-After", "600"),)) as receiver:
        ready(harness_empty_database, receiver)
        report = send(harness_empty_database, receiver, "once")
        assert send(harness_empty_database, receiver, "once").failed == 0
        assert (report.failed, report.pending, len(receiver.seen)) == (1, 6, 1)


def test_two_senders_do_not_send_to_one_endpoint(harness_empty_database: str) -> None:
    with receiving() as receiver, psycopg.connect(harness_empty_database) as other:
        ready(harness_empty_database, receiver)
        other.execute(
            "SELECT pg_advisory_lock(hashtext('migration_outbox'), hashtext('old'))"
        )  # as a sender holds it
        assert send(harness_empty_database, receiver, "once").state == "elsewhere"
        assert receiver.seen == []


def test_a_session_that_is_ended_is_opened_again(harness_empty_database: str) -> None:
    ending = (
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    left = [2]

    def answer(endpoint: str, given: str, body: bytes) -> int:
        if left[0]:
            left[0] -= 1
            with psycopg.connect(harness_empty_database) as conn:
                conn.execute(ending)
        return accept_all(endpoint, given, body)

    with receiving(answer) as receiver:
        ready(harness_empty_database, receiver)
        assert send(harness_empty_database, receiver).state == "sent"
        assert found_wrong(harness_empty_database, receiver) == set()
        assert len(receiver.seen) >= 7  # what was answered and not written down came again


def test_an_endpoint_that_is_not_in_the_file_is_told(harness_empty_database: str) -> None:
    with receiving() as receiver:
        ready(harness_empty_database, receiver, 2)
        other = file_of(endpoint_of(receiver, "new"))
        reports = deliver_all(harness_empty_database, other, "once", never, LOCAL)
    assert [(one.name, one.state, one.pending) for one in reports] == [
        ("new", "sent", 0), ("old", "absent", 2)
    ]  # fmt: skip
