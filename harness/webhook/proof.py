"""Whether what arrived is what was queued: none lost, none forged, in order, byte for byte.

A checker of a recorded history: what the outbox holds, and what the receiver saw.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.core.finding import Finding
from harness.webhook.outbox import Connection
from harness.webhook.receiver import ReceivedWebhook

_SHOWN: Final = 200
_QUEUED: Final = """
SELECT d.endpoint, e.seq, e.id, e.vocabulary, e.type, e.key, e.body
FROM migration_outbox.delivery AS d JOIN migration_outbox.event AS e ON e.seq = d.seq
ORDER BY d.endpoint, e.seq
"""


@dataclass(frozen=True)
class QueuedWebhook:
    """An event that an endpoint is owed, as it was frozen."""

    endpoint: str
    seq: int
    id: str
    vocabulary: str
    type: str
    key: str
    body: str


def read_queued(conn: Connection) -> list[QueuedWebhook]:
    """All that was ever queued, for each endpoint in order."""
    rows: Any = conn.execute(_QUEUED).fetchall()
    return [QueuedWebhook(*row) for row in rows]


def judge_deliveries(
    queued: Sequence[QueuedWebhook],
    received: Sequence[ReceivedWebhook],
    keys: Mapping[str, Sequence[bytes]],
) -> list[Finding]:
    """What is wrong with a history that has come to its end; `keys` are those of each endpoint."""
    owed = {(one.endpoint, one.id): one for one in queued}
    found = [*_forged(owed, received), *_altered(owed, received), *_lost(owed, received)]
    return [*found, *_reordered(owed, received), *_unsigned(received, keys)]


def judge_schemas(received: Sequence[ReceivedWebhook], schemas: Mapping[str, Any]) -> list[Finding]:
    """The bodies that are not of the JSON schema of their endpoint."""
    from jsonschema import Draft202012Validator

    validators = {name: Draft202012Validator(schema) for name, schema in schemas.items()}
    found = []
    for one in received:
        for error in validators[one.endpoint].iter_errors(json.loads(one.body)):
            place = "/".join(map(str, error.absolute_path))
            text = f"is not of its schema: {place}: {error.message[:_SHOWN]}"
            found.append(_finding("misshapen", one.endpoint, one.id, text))
    return found


Owed = Mapping[tuple[str, str], QueuedWebhook]


def _forged(owed: Owed, received: Sequence[ReceivedWebhook]) -> Iterator[Finding]:
    for one in received:
        if (one.endpoint, one.id) not in owed:
            yield _finding("forged", one.endpoint, one.id, "was never queued under that id")


def _altered(owed: Owed, received: Sequence[ReceivedWebhook]) -> Iterator[Finding]:
    for one in received:
        frozen = owed.get((one.endpoint, one.id))
        if frozen is not None and one.body != frozen.body.encode():
            yield _finding("altered", one.endpoint, one.id, "its body is not the one queued")


def _lost(owed: Owed, received: Sequence[ReceivedWebhook]) -> Iterator[Finding]:
    taken = {(one.endpoint, one.id) for one in received if _is_taken(one)}
    for place in owed:
        if place not in taken:
            yield _finding("lost", *place, "was queued and never taken")


def _reordered(owed: Owed, received: Sequence[ReceivedWebhook]) -> Iterator[Finding]:
    """Whatever arrives while an earlier event of its key has not been taken yet."""
    waiting: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in owed.values():
        waiting[one.endpoint, one.key].append(one.seq)
    for request in received:
        frozen = owed.get((request.endpoint, request.id))
        if frozen is None:
            continue
        row = waiting[frozen.endpoint, frozen.key]
        if row and row[0] < frozen.seq:
            text = f"arrived before an earlier one of {frozen.key!r} was taken"
            yield _finding("reordered", request.endpoint, request.id, text)
        if _is_taken(request) and frozen.seq in row:
            row.remove(frozen.seq)


def _unsigned(
    received: Sequence[ReceivedWebhook], keys: Mapping[str, Sequence[bytes]]
) -> Iterator[Finding]:
    for one in received:
        signed = f"{one.id}.{one.timestamp}.".encode() + one.body
        wanted = {
            "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
            for key in keys.get(one.endpoint, ())
        }
        if not wanted or not wanted <= set(one.signature.split(" ")):
            yield _finding("unsigned", one.endpoint, one.id, "is not signed with its keys")


def _is_taken(one: ReceivedWebhook) -> bool:
    return 200 <= one.status < 300


def _finding(kind: str, endpoint: str, id: str, text: str) -> Finding:  # noqa: A002 - the standard's word
    return Finding(f"webhook.{kind}", "critical", endpoint, f"{id} {text}")
