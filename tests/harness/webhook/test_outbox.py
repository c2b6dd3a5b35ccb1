"""The outbox queues a change once for each endpoint of its vocabulary, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from harness.core.errors import Refused
from harness.database import admin, fingerprint
from harness.webhook import outbox
from harness.webhook.outbox import Subscription

QUEUED = """
SELECT d.endpoint, e.type, e.key, e.body FROM migration_outbox.delivery AS d
JOIN migration_outbox.event AS e USING (seq) ORDER BY d.endpoint, d.seq
"""
OLD = Subscription("billing", "old")
NEW = Subscription("search", "new", ("order.paid",))


@pytest.fixture
def conn(harness_empty_database: str) -> Iterator[outbox.Connection]:
    with outbox.opened(harness_empty_database) as conn:
        outbox.install(conn)
        yield conn


def enqueue(conn: outbox.Connection, vocabulary: str, kind: str, body: str, **more: str) -> str:
    row = conn.execute(
        "SELECT migration_outbox.enqueue(%s, %s, 'orders/7', %s::jsonb, %s)",
        [vocabulary, kind, body, more.get("id")],
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_each_endpoint_is_queued_its_vocabulary_and_types_alone(conn: outbox.Connection) -> None:
    outbox.register(conn, [OLD, NEW])
    given = enqueue(conn, "old", "orders.UPDATE", '{"b": 1, "a": 1.10}')
    assert enqueue(conn, "new", "order.paid", '{"paid": true}', id=given) == given
    enqueue(conn, "new", "order.made", "{}")
    assert conn.execute(QUEUED).fetchall() == [
        ("billing", "orders.UPDATE", "orders/7", '{"a": 1.10, "b": 1}'),
        ("search", "order.paid", "orders/7", '{"paid": true}'),
    ]


def test_what_is_rolled_back_was_never_queued(conn: outbox.Connection) -> None:
    outbox.register(conn, [OLD])
    with conn.transaction(force_rollback=True):
        enqueue(conn, "old", "orders.UPDATE", "{}")
    assert conn.execute(QUEUED).fetchall() == []


def test_an_endpoint_keeps_its_vocabulary(conn: outbox.Connection) -> None:
    outbox.register(conn, [OLD])
    with pytest.raises(Refused, match="'billing' is told 'old', and keeps that vocabulary"):
        outbox.register(conn, [NEW, Subscription("billing", "new")])
    assert outbox.registered(conn) == ["billing"]


def test_a_copy_of_the_database_is_refused_until_it_is_adopted(conn: outbox.Connection) -> None:
    assert not outbox.install(conn)
    outbox.require_own(conn)
    conn.execute("UPDATE migration_outbox.outbox SET database = database::bigint + 1")
    with pytest.raises(Refused, match="this one is a copy of it"):
        outbox.require_own(conn)
    outbox.install(conn, adopt=True)
    outbox.require_own(conn)


def test_a_database_without_an_outbox_is_told_how_to_make_one(harness_empty_database: str) -> None:
    with outbox.opened(harness_empty_database) as conn, pytest.raises(Refused, match="install"):
        outbox.require_own(conn)


def test_the_outbox_is_no_part_of_the_databases_identity(harness_empty_database: str) -> None:
    before = fingerprint.take(harness_empty_database)
    with outbox.opened(harness_empty_database) as conn:
        outbox.install(conn)
        outbox.register(conn, [OLD])
        enqueue(conn, "old", "orders.UPDATE", "{}")
    assert fingerprint.compare(before, fingerprint.take(harness_empty_database)) == ()


def test_the_applications_roles_have_no_right_in_the_outbox(
    harness_empty_database: str, role: str
) -> None:
    with outbox.opened(harness_empty_database) as conn:
        conn.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role}")
        conn.execute(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {role}")
        outbox.install(conn)
        conn.execute(f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM {role}")
        conn.execute(f"ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM {role}")
        conn.execute(f"SET ROLE {role}")
        for asked in ("SELECT * FROM migration_outbox.event", QUEUED):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(asked)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            enqueue(conn, "old", "orders.UPDATE", "{}")
        conn.execute("RESET ROLE")
    assert admin.dbname(harness_empty_database)
